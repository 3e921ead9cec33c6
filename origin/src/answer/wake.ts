import type { fail } from "@ledge/contract";
import type { OriginContext } from "../request.ts";

/** `POST /v1/models/{model}/wake`: wakes a model that is asleep, and says how that stands. One that never sleeps is awake. */
export function answerWake(context: OriginContext): Response | ReturnType<typeof fail> {
  const model = context.req.param("model") ?? "";
  context.get("record").facts.model = model;
  const seat = context.get("stage").registry.seatOf(model);
  if (!seat.ok) return seat;
  return context.json(seat.value.engine.wake?.() ?? { state: "awake", eta_ms: 0 });
}
