import { fail, ok, type Result } from "@ledge/contract";

/**
 * Rows in one batch of several calls. From 1 to 16 the cost of a row of `intent` falls about fourfold (0.1 ms to 0.025 ms
 * in workerd), past that it stays, and everyone in a batch waits for all of it.
 */
const batchRowsMax = 32;

/**
 * Bytes of tokenizers' files. Read, they take nine to ten times as much of the isolate's heap (55 to 360 kB; 0.5 to 3.4 MiB in
 * Node), which is none of the runtimes'.
 */
const tokenizerBytesDefault = 2 ** 20;

export interface Config {
  /** Rows that may wait for one model. */
  readonly waitingRowsMax: number;
  /** Rows in one batch of several calls. */
  readonly batchRowsMax: number;
  /** What all ONNX Runtimes of the isolate may take, bytes. */
  readonly memoryBytesMax: number;
  /** What the files of tokenizers that are kept for counting prompts may have together, bytes. */
  readonly tokenizerBytesMax: number;
}

/**
 * Reads the Worker's variables. Fault: `model_not_ready`, whose cause says what to type. Fails closed: a bound that cannot
 * be read must not become "no bound".
 */
export function readConfig(env: {
  readonly QUEUE_ROWS_MAX?: unknown;
  readonly MEMORY_BYTES_MAX?: unknown;
  readonly TOKENIZER_BYTES_MAX?: unknown;
}): Result<Config> {
  const waitingRowsMax = wholeNumber(env.QUEUE_ROWS_MAX);
  if (waitingRowsMax === undefined) return unreadable("QUEUE_ROWS_MAX", 256);
  const memoryBytesMax = wholeNumber(env.MEMORY_BYTES_MAX);
  if (memoryBytesMax === undefined || memoryBytesMax < 2 ** 25) return unreadable("MEMORY_BYTES_MAX", 96 * 2 ** 20);
  const tokenizerBytesMax = wholeNumber(env.TOKENIZER_BYTES_MAX ?? tokenizerBytesDefault);
  if (tokenizerBytesMax === undefined) return unreadable("TOKENIZER_BYTES_MAX", tokenizerBytesDefault);
  return ok({ waitingRowsMax, batchRowsMax, memoryBytesMax, tokenizerBytesMax });
}

function wholeNumber(given: unknown): number | undefined {
  const value = typeof given === "string" && given.trim() !== "" ? Number(given) : given;
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function unreadable(name: string, example: number): Result<never> {
  return fail("model_not_ready", {
    cause: `${name} must be a whole number that is large enough, such as "${name}": ${example} under vars.`,
  });
}
