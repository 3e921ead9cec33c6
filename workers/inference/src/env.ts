import { fail, ok, type Result } from "@ledge/contract";
import type { QueueRule } from "./run/queue.ts";

/**
 * Texts in one batch of several calls. From 1 to 16 the cost of a row falls about fourfold (0.1 ms to 0.025 ms in
 * workerd), past that it stays, and everyone in a batch waits for all of it.
 */
const batchRowsMax = 16;

/**
 * Reads the Worker's variables. Fault: `model_not_ready`, whose cause says what to type. Fails closed: a bound that cannot
 * be read must not become "no bound".
 */
export function readQueueRule(env: { readonly QUEUE_ROWS_MAX?: unknown }): Result<QueueRule> {
  const given = env.QUEUE_ROWS_MAX;
  const waitingRowsMax = typeof given === "string" && given.trim() !== "" ? Number(given) : given;
  if (typeof waitingRowsMax !== "number" || !Number.isInteger(waitingRowsMax) || waitingRowsMax < 0) {
    return fail("model_not_ready", {
      cause: `QUEUE_ROWS_MAX must be a whole number from 0 on, such as "QUEUE_ROWS_MAX": 256 under vars.`,
    });
  }
  return ok({ waitingRowsMax, batchRowsMax });
}
