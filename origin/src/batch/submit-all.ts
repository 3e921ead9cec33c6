import { ok, type Result } from "@ledge/contract";
import type { CallOff } from "../call-off.ts";
import type { Batcher, Shared, Submission } from "./batcher.ts";

/** Submits the parts of one call. When one fails, the others leave the line, and the call fails with its fault. */
export async function submitAll<Item, Answer>(
  batcher: Batcher<Item, Answer>,
  parts: readonly Submission<Item>[],
  signal: AbortSignal,
): Promise<Result<readonly Shared<Answer>[]>> {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) {
    const ran = await batcher.submit(only, signal);
    return ran.ok ? ok([ran.value]) : ran;
  }
  const rest = new AbortController();
  const both = AbortSignal.any([signal, rest.signal]);
  let first: Result<never> | undefined;
  const ran = await Promise.all(
    parts.map(async (part) => {
      const one = await batcher.submit(part, both);
      if (one.ok) return [one.value];
      first ??= one;
      rest.abort("disconnected" satisfies CallOff);
      return [];
    }),
  );
  return first ?? ok(ran.flat());
}
