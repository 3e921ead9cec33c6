import { type fail, headers, parse, predictCall } from "@ledge/contract";
import { readJson } from "../accept/body.ts";
import { orCalledOff } from "../call-off.ts";
import { type OriginContext, sentBy } from "../request.ts";
import { Bill } from "./bill.ts";

/** `POST /v1/predict`: a `PredictCall` in, a `PredictAnswer` out, for every model with steps around its graph. */
export async function answerPredict(context: OriginContext): Promise<Response | ReturnType<typeof fail>> {
  const { registry, bodyBytesMax } = context.get("stage");
  const { signal } = context.get("deadline");
  const { facts } = context.get("record");
  const body = await orCalledOff(readJson(sentBy(context), bodyBytesMax, context.get("bodySha256")), signal);
  if (!body.ok) return body;
  const call = parse(predictCall, body.value);
  if (!call.ok) return call;
  const seat = await orCalledOff(registry.findOrBring(call.value, "predict"), signal);
  if (!seat.ok) return seat;
  const { engine, gate } = seat.value;
  facts.model = `${call.value.model}@${call.value.version}`;
  const permit = await gate.enter(signal);
  if (!permit.ok) return permit;
  const bill = new Bill(context, engine.model);
  try {
    const urgency = { ...context.get("urgency"), begins: () => bill.begin() };
    const answer = await orCalledOff(engine.predict(call.value, signal, urgency), signal);
    if (!answer.ok) return answer;
    facts.promptTokens = answer.value.inputTokens;
    bill.pay(0, undefined, answer.value.inputTokens);
    const queueMs = permit.value.queuedMs + answer.value.timings.queueMs;
    facts.queueMs = Math.round(queueMs);
    const timings = { ...answer.value.timings, queueMs };
    return Response.json(
      { ...answer.value, timings },
      { headers: { [headers.model]: facts.model, [headers.tier]: "origin" } },
    );
  } finally {
    permit.value.leave();
  }
}
