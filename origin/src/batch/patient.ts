import type { Urgency } from "../engines/engine.ts";

/** Of a call that does not say how urgent it is. */
export const patient: Urgency = { priority: 1, deadlineMs: Number.POSITIVE_INFINITY };
