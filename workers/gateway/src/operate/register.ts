import {
  fail,
  type ModelManifest,
  modelManifest,
  ok,
  packageDocument,
  packageFiles,
  parse,
  type RegisterAnswer,
  type RegisteredModel,
  type Result,
  registerRequest,
} from "@ledge/contract";
import { modelNamed } from "@ledge/policy";
import { type ModelDesk, made, modelOf } from "./models.ts";
import { reach } from "./reach.ts";

/**
 * Registers a package whose files are stored already: checks the manifest and every file, keeps the package's document
 * beside them, has the edge load it when it is for the edge, and only then changes the registry. The same package again is
 * the same version. Errors: `invalid_request`, `package_incomplete`, `package_rejected` with the reason in words, what the
 * edge says when it cannot load right now, `registry_conflict`, `registry_unavailable`: nothing is registered then.
 */
export async function registerPackage(name: string, body: unknown, desk: ModelDesk): Promise<Result<RegisterAnswer>> {
  const manifest = readManifest(name, body);
  if (!manifest.ok) return manifest;
  const document = packageDocument(manifest.value);
  const digest = desk.digests.sha256Hex(document);
  const snapshot = await reach(() => desk.registry.snapshot());
  if (!snapshot.ok) return snapshot;
  const before = modelNamed(snapshot.value, name);
  if (before !== undefined && versionWith(before, digest) !== undefined) return answerOf(before, digest, false);
  const prepared = await prepare(
    manifest.value,
    document,
    digest,
    nextVersion(before, snapshot.value.retired[name]),
    desk,
  );
  if (!prepared.ok) return prepared;
  const done = await made(desk, { kind: "register", manifest: manifest.value, digest, source: "store" });
  if (!done.ok) return done;
  const after = modelOf(done.value.snapshot, name);
  return after.ok ? answerOf(after.value, digest, done.value.changed) : after;
}

/** The path names the model, the registry gives the version: of both the manifest may be silent. */
function readManifest(name: string, body: unknown): Result<ModelManifest> {
  const request = parse(registerRequest, body);
  if (!request.ok) return request;
  const { manifest } = request.value;
  if (manifest.name !== undefined && manifest.name !== name) {
    const message = `the path says '${name.slice(0, 64)}'`;
    return fail("invalid_request", { issues: [{ path: "manifest.name", message }] });
  }
  const parsed = parse(modelManifest, { ...manifest, name, version: "1" });
  if (!parsed.ok) {
    const issues = parsed.fault.issues?.map(({ path, message }) => ({ path: `manifest.${path}`, message })) ?? [];
    return fail("invalid_request", { issues });
  }
  const paths = packageFiles(parsed.value).map(({ path }) => path);
  const twice = paths.find((path, i) => paths.indexOf(path) !== i);
  if (twice === undefined) return parsed;
  return fail("invalid_request", { issues: [{ path: "manifest.files", message: `'${twice}' is there twice` }] });
}

async function prepare(
  manifest: ModelManifest,
  document: string,
  digest: string,
  version: string,
  desk: ModelDesk,
): Promise<Result<true>> {
  const stored = await filesAreStored(manifest, desk);
  if (!stored.ok) return stored;
  // Stays when the edge refuses the package: it is no more than a file, and another registration may be using it.
  const kept = await reach(() => desk.blobs.put(digest, document));
  if (!kept.ok) return kept;
  if (!manifest.tiers.includes("edge")) return ok(true);
  const loaded = await desk.loader.load({ model: manifest.name, version, digest }, desk.loadDeadlineMs());
  if (loaded.ok) return ok(true);
  const { code, cause, detail } = loaded.fault;
  if (code !== "model_not_ready" && code !== "invalid_shape") return loaded;
  // The operator may know why; a caller is never told.
  return fail("package_rejected", { detail: `The edge cannot load it: ${detail ?? cause ?? "it does not say why"}` });
}

async function filesAreStored(manifest: ModelManifest, { blobs }: ModelDesk): Promise<Result<true>> {
  const files = packageFiles(manifest);
  const sizes = await reach(() => Promise.all(files.map(({ sha256 }) => blobs.bytesOf(sha256))));
  if (!sizes.ok) return sizes;
  const issues = files.flatMap(({ path, sha256, bytes }, i) => {
    const size = sizes.value[i];
    if (size === undefined) return [{ path, message: `not stored: PUT /admin/v1/blobs/${sha256}` }];
    return size === bytes ? [] : [{ path, message: `has ${size} bytes, the manifest says ${bytes}` }];
  });
  return issues.length === 0 ? ok(true) : fail("package_incomplete", { issues });
}

/** The number that the version will have unless another registration comes first; the digest is what tells packages apart. */
function nextVersion(model: RegisteredModel | undefined, retired: number | undefined): string {
  return String((model?.highestVersion ?? retired ?? 0) + 1);
}

function versionWith(model: RegisteredModel, digest: string) {
  return model.versions.find((known) => known.digest === digest);
}

function answerOf(model: RegisteredModel, digest: string, created: boolean): Result<RegisterAnswer> {
  const version = versionWith(model, digest);
  if (version === undefined) return fail("registry_conflict", { detail: "The version was removed in the meantime." });
  return ok({ model: model.name, version: version.version, digest, created, stable: model.stable });
}
