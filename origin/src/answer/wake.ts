import { jsonAnswer, type OriginCall, type Outcome } from "../request.ts";

/** `POST /v1/models/{model}/wake`: wakes a model that is asleep, and says how that stands. One that never sleeps is awake. */
export function answerWake({ stage, params: [model = ""], record }: OriginCall): Outcome {
  record.facts.model = model;
  const seat = stage.registry.seatOf(model);
  if (!seat.ok) return seat;
  return jsonAnswer(seat.value.engine.wake?.() ?? { state: "awake", eta_ms: 0 });
}
