import { headers, parse, predictCall } from "@ledge/contract";
import { readJson } from "../accept/body.ts";
import { orCalledOff } from "../call-off.ts";
import { jsonAnswer, type OriginCall, type Outcome } from "../request.ts";
import { Bill } from "./bill.ts";

/** `POST /v1/predict`: a `PredictCall` in, a `PredictAnswer` out, for every model with steps around its graph. */
export async function answerPredict(origin: OriginCall): Promise<Outcome> {
  const { registry, bodyBytesMax } = origin.stage;
  const { signal } = origin.deadline;
  const { facts } = origin.record;
  const body = await orCalledOff(readJson(origin.incoming, bodyBytesMax, origin.bodySha256), signal);
  if (!body.ok) return body;
  const call = parse(predictCall, body.value);
  if (!call.ok) return call;
  const seat = await orCalledOff(registry.findOrBring(call.value, "predict"), signal);
  if (!seat.ok) return seat;
  const { engine, gate } = seat.value;
  facts.model = `${call.value.model}@${call.value.version}`;
  const permit = await gate.enter(signal);
  if (!permit.ok) return permit;
  const bill = new Bill(origin, engine.model);
  try {
    const urgency = { ...origin.urgency, begins: () => bill.begin() };
    const answer = await orCalledOff(engine.predict(call.value, signal, urgency), signal);
    if (!answer.ok) return answer;
    facts.promptTokens = answer.value.inputTokens;
    bill.pay(0, undefined, answer.value.inputTokens);
    const queueMs = permit.value.queuedMs + answer.value.timings.queueMs;
    facts.queueMs = Math.round(queueMs);
    const timings = { ...answer.value.timings, queueMs };
    return jsonAnswer({ ...answer.value, timings }, { [headers.model]: facts.model, [headers.tier]: "origin" });
  } finally {
    permit.value.leave();
  }
}
