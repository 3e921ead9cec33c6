import { fail, ok, type Result } from "@ledge/contract";
import type { QueueRule } from "./run/queue.ts";

/**
 * Texts in one run of the model. Past 32 a row gets no cheaper (measured in workerd), and everyone in a batch waits for
 * all of it.
 */
const batchRowsMax = 32;

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
