import { ok, type RegisteredModel, type Result } from "@ledge/contract";
import { type ModelDesk, setStable, setState, showModel } from "./models.ts";
import { reach } from "./reach.ts";
import { registerPackage } from "./register.ts";

/** The model repository as model-server clients see it: whole models, not versions. */

/** Has every version called again, the stable one first; of a model that is loaded, loads the stable one. Errors: the registry's. */
export async function loadModel(name: string, desk: ModelDesk): Promise<Result<unknown>> {
  const model = await showModel(name, desk);
  if (!model.ok) return model;
  const unloaded = stableFirst(model.value).filter(({ state }) => state === "unloaded");
  const versions = unloaded.length === 0 ? [model.value.stable] : unloaded.map(({ version }) => version);
  return await setAll(name, versions, "ready", desk);
}

/** Has no version called any more, the stable one last. Errors: the registry's: an alias or a rollout may need a version. */
export async function unloadModel(name: string, desk: ModelDesk): Promise<Result<unknown>> {
  const model = await showModel(name, desk);
  if (!model.ok) return model;
  const ready = stableFirst(model.value).filter(({ state }) => state === "ready");
  return await setAll(name, ready.map(({ version }) => version).reverse(), "unloaded", desk);
}

function stableFirst({ versions, stable }: RegisteredModel): RegisteredModel["versions"] {
  return [...versions].sort((a, b) => Number(b.version === stable) - Number(a.version === stable));
}

/** One after the other: what fails stops the rest. */
async function setAll(
  name: string,
  versions: readonly string[],
  state: "ready" | "unloaded",
  desk: ModelDesk,
): Promise<Result<unknown>> {
  for (const version of versions) {
    const done = await setState(name, version, state, desk);
    if (!done.ok) return done;
  }
  return ok(undefined);
}

/** A package whose files came along. */
export interface InlinePackage {
  /** A manifest but for its files and version. */
  readonly manifest: Readonly<Record<string, unknown>>;
  /** The graph's path among the files. */
  readonly graph: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Stores the files, registers the package and makes it stable. Errors: those of `registerPackage` and `setStable`. */
export async function registerInline(name: string, inline: InlinePackage, desk: ModelDesk): Promise<Result<unknown>> {
  const files = [...inline.files].map(([path, bytes]) => ({ path, bytes, sha256: desk.digests.sha256Hex(bytes) }));
  for (const { sha256, bytes } of files) {
    const stored = await reach(() => desk.blobs.put(sha256, bytes));
    if (!stored.ok) return stored;
  }
  const described = files.map(({ path, bytes, sha256 }) => ({ path, bytes: bytes.length, sha256 }));
  const manifest = {
    ...inline.manifest,
    file: described.find(({ path }) => path === inline.graph),
    files: described.filter(({ path }) => path !== inline.graph),
  };
  const registered = await registerPackage(name, { manifest }, desk);
  if (!registered.ok) return registered;
  const { version, stable, created } = registered.value;
  // A package that was there already may have been unloaded.
  const loaded = created ? ok(undefined) : await setState(name, version, "ready", desk);
  if (!loaded.ok || stable === version) return loaded;
  return await setStable(name, { version }, desk);
}
