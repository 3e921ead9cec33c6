import { type Fault, fail, type ModelManifest, ok, type PackageRef, type Result } from "@ledge/contract";
import { type CountPrompt, createPromptCounter, filesOfCounting } from "@ledge/pipeline";
import type { FoundPackage } from "./find-package.ts";

export interface CounterPorts {
  readonly find: (ref: PackageRef) => Promise<Result<FoundPackage>>;
  /** What the files of all tokenizers that are kept may have together. */
  readonly bytesMax: number;
  /** Milliseconds, any origin. */
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<void>;
}

/** How often who waits for another's load looks again, and after how long it loads by itself. */
const lookMs = 5;
const loadMsMax = 5_000;
/** What could not be read is not read again for so long. */
const failedForMs = 10_000;

interface Kept {
  readonly model: string;
  readonly count: CountPrompt;
  readonly bytes: number;
}

/** Tokenizers without their models, for counting prompts before anybody is asked: the least recently used go first. */
export class PromptCounters {
  readonly #ports: CounterPorts;
  /** By digest, the least recently used first. */
  readonly #kept = new Map<string, Kept>();
  /** Since when somebody loads it. Others look whether that is done: a promise of another request must not be awaited. */
  readonly #loading = new Map<string, number>();
  readonly #failed = new Map<string, { readonly fault: Fault; readonly atMs: number }>();

  constructor(ports: CounterPorts) {
    this.#ports = ports;
  }

  /** Faults: `model_not_found`; `model_not_ready`, whose cause says why nothing can be counted for this package here. */
  async get(ref: PackageRef): Promise<Result<CountPrompt>> {
    for (;;) {
      const kept = this.#kept.get(ref.digest);
      if (kept !== undefined) return this.#used(ref, kept);
      const failed = this.#failed.get(ref.digest);
      if (failed !== undefined && this.#ports.now() - failed.atMs < failedForMs)
        return { ok: false, fault: failed.fault };
      const since = this.#loading.get(ref.digest);
      if (since === undefined || this.#ports.now() - since > loadMsMax) return await this.#load(ref);
      await this.#ports.wait(lookMs);
    }
  }

  #used({ digest, model }: PackageRef, kept: Kept): Result<CountPrompt> {
    if (kept.model !== model) return fail("model_not_found");
    this.#kept.delete(digest);
    this.#kept.set(digest, kept);
    return ok(kept.count);
  }

  async #load(ref: PackageRef): Promise<Result<CountPrompt>> {
    const { digest, model } = ref;
    this.#loading.set(digest, this.#ports.now());
    this.#failed.delete(digest);
    const read = await this.#read(ref).catch((error) => fail("model_not_ready", { cause: String(error) }));
    this.#loading.delete(digest);
    if (!read.ok) {
      // One of many that fail for good makes room for the next.
      if (this.#failed.size >= 100) this.#failed.clear();
      this.#failed.set(digest, { fault: read.fault, atMs: this.#ports.now() });
      return read;
    }
    this.#makeRoom(read.value.bytes);
    this.#kept.set(digest, { ...read.value, model });
    return ok(read.value.count);
  }

  async #read(ref: PackageRef): Promise<Result<Omit<Kept, "model">>> {
    const found = await this.#ports.find(ref);
    if (!found.ok) return found;
    const { manifest, files: given, read } = found.value;
    const bytes = bytesOf(manifest);
    const { bytesMax } = this.#ports;
    if (bytes > bytesMax) {
      return fail("model_not_ready", { cause: `Its tokenizer has ${bytes} bytes; ${bytesMax} are kept here.` });
    }
    const files = new Map(given);
    for (const file of filesOfCounting(manifest).filter(({ path }) => !given.has(path))) {
      const content = await read(file);
      if (!content.ok) return content;
      files.set(file.path, content.value);
    }
    const count = createPromptCounter(manifest, files);
    return count.ok ? ok({ count: count.value, bytes }) : count;
  }

  #makeRoom(bytes: number): void {
    let sum = bytes;
    for (const kept of this.#kept.values()) sum += kept.bytes;
    for (const [digest, kept] of this.#kept) {
      if (sum <= this.#ports.bytesMax) return;
      this.#kept.delete(digest);
      sum -= kept.bytes;
    }
  }
}

function bytesOf(manifest: ModelManifest): number {
  return filesOfCounting(manifest).reduce((sum, { bytes }) => sum + bytes, 0);
}
