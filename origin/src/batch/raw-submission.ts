import type { Tensors } from "@ledge/contract";
import { type RawCall, rawKey } from "@ledge/pipeline";
import type { Urgency } from "../engines/engine.ts";
import type { Submission } from "./batcher.ts";

/**
 * Raw tensors as they wait: rows lie along the first dimension. Tensors that do not agree about it run alone, as all do where
 * `mayShare` is false.
 */
export function rawSubmission(
  inputs: Tensors,
  outputs: readonly string[] | undefined,
  { priority, deadlineMs, begins }: Urgency,
  mayShare: boolean,
): Submission<RawCall> {
  const tensors = Object.values(inputs);
  const counts = new Set(tensors.map(({ shape }) => shape[0] ?? 0));
  const [first = 0] = counts;
  const shares = mayShare && counts.size === 1 && first > 0;
  const rows = shares ? first : 1;
  const item: RawCall = { inputs, rows, ...(outputs === undefined ? {} : { outputs }) };
  const values = tensors.reduce((most, { data }) => Math.max(most, data.length), 1);
  const length = Math.max(1, Math.ceil(values / rows));
  return { item, rows, length, key: shares ? rawKey(item) : undefined, priority, deadlineMs, begins };
}
