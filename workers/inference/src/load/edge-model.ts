import { fail, type ModelManifest, modelManifest, ok, parse, type Result, type Tensors } from "@ledge/contract";
import { createServable, type Servable } from "@ledge/pipeline";

/** A model package that travels in this Worker's bundle. */
export interface BundledModel {
  /** `model.json`, not yet checked. */
  readonly manifest: unknown;
  readonly labels: unknown;
  /** The ONNX graph. */
  readonly graph: ArrayBuffer;
}

/** Memory of the runtime grows to its largest run: 8,192 ids are 2 MiB at 64 floats each. */
const runLimits = { rowsMax: 64, cellsMax: 8192 };

/** What loading needs of the platform. Both may throw; that is `model_not_ready`. */
export interface LoadPorts<Session> {
  readonly checkDigest: (graph: ArrayBuffer, file: ModelManifest["file"]) => Promise<Result<true>>;
  readonly createSession: (graph: ArrayBuffer) => Promise<Session>;
  readonly runSession: (session: Session, feeds: Tensors) => Promise<Result<Tensors>>;
  /** Milliseconds, any origin. */
  readonly now: () => number;
}

export interface EdgeModel {
  readonly manifest: ModelManifest;
  readonly servable: Servable;
  readonly isLoaded: () => boolean;
  /** Milliseconds from the start of loading to the end of the first run; undefined before. */
  readonly loadMs: () => number | undefined;
}

/**
 * A model that loads itself at its first run. A failed load is a fault `model_not_ready` and is tried again at the next
 * run: what failed for want of memory may pass later.
 */
export function createEdgeModel<Session>(bundled: BundledModel, ports: LoadPorts<Session>): Result<EdgeModel> {
  const manifest = parse(modelManifest, bundled.manifest);
  if (!manifest.ok) {
    const issues = (manifest.fault.issues ?? []).map((issue) => `${issue.path}: ${issue.message}`);
    return fail("model_not_ready", { cause: `model.json: ${issues.join("; ")}` });
  }
  let session: Session | undefined;
  let loadMs: number | undefined;

  async function load(): Promise<Result<Session>> {
    try {
      const digest = await ports.checkDigest(bundled.graph, file);
      return digest.ok ? ok(await ports.createSession(bundled.graph)) : digest;
    } catch (error) {
      return fail("model_not_ready", { cause: error instanceof Error ? error.message : String(error) });
    }
  }

  async function run(feeds: Tensors): Promise<Result<Tensors>> {
    if (session !== undefined) return ports.runSession(session, feeds);
    const startedMs = ports.now();
    const loaded = await load();
    if (!loaded.ok) return loaded;
    session = loaded.value;
    const first = await ports.runSession(session, feeds);
    loadMs = ports.now() - startedMs;
    return first;
  }

  const { file } = manifest.value;
  const files = new Map([["labels.json", new TextEncoder().encode(JSON.stringify(bundled.labels))]]);
  const servable = createServable({ manifest: manifest.value, files, run, limits: runLimits });
  if (!servable.ok) return servable;
  return ok({
    manifest: manifest.value,
    servable: servable.value,
    isLoaded: () => session !== undefined,
    loadMs: () => loadMs,
  });
}
