import {
  dealBinary,
  encodeInfer,
  fail,
  headerLengthHeader,
  headers,
  type InferRequest,
  inferRequest,
  ok,
  parse,
  type Result,
  readTensors,
  splitMessage,
  type Tensors,
} from "@ledge/contract";
import { parseJson, readBytes } from "../accept/body.ts";
import { orCalledOff } from "../call-off.ts";
import type { Able, Registry } from "../engines/registry.ts";
import { headerOf, type OriginCall, type Outcome } from "../request.ts";
import { Bill } from "./bill.ts";

interface Asked {
  readonly request: InferRequest;
  readonly feeds: Tensors;
  readonly seat: Able<"infer">;
}

/**
 * `POST /v2/models/{model}/versions/{version}/infer` of the Open Inference Protocol: raw tensors of any graph, as JSON or as bytes
 * behind it. The outputs come back as bytes. The parameter `digest` says which package the version must be.
 */
export async function answerInfer(call: OriginCall): Promise<Outcome> {
  const { signal } = call.deadline;
  const { facts } = call.record;
  const [model = "", version = ""] = call.params;
  const asked = await orCalledOff(readAsked(call, model, version), signal);
  if (!asked.ok) return asked;
  const { request, feeds, seat } = asked.value;
  facts.model = `${model}@${version}`;
  const permit = await seat.gate.enter(signal);
  if (!permit.ok) return permit;
  facts.queueMs = Math.round(permit.value.queuedMs);
  const bill = new Bill(call, seat.engine.model);
  try {
    const wanted = request.outputs?.map(({ name }) => name);
    const begins = (queuedMs: number) => {
      facts.queueMs = Math.round(queuedMs);
      bill.begin();
    };
    const urgency = { ...call.urgency, begins };
    const outputs = await orCalledOff(seat.engine.infer(feeds, wanted, signal, urgency), signal);
    if (!outputs.ok) return outputs;
    bill.pay(0);
    return inferResponse(model, version, outputs.value);
  } finally {
    permit.value.leave();
  }
}

async function findSeat(registry: Registry, model: string, version: string, digest: unknown) {
  return typeof digest === "string"
    ? await registry.findOrBring({ model, version, digest }, "infer")
    : registry.find(`${model}@${version}`, "infer");
}

async function readAsked(call: OriginCall, model: string, version: string): Promise<Result<Asked>> {
  const { bodyBytesMax, registry } = call.stage;
  const types = ["application/json", "application/octet-stream"];
  const body = await readBytes(call.incoming, bodyBytesMax, types, call.bodySha256);
  if (!body.ok) return body;
  const length = headerOf(call.incoming, headerLengthHeader);
  const parts = splitMessage(length === null ? undefined : Number(length), body.value);
  if (!parts.ok) return parts;
  const json = parseJson(parts.value.json);
  if (!json.ok) return json;
  const request = parse(inferRequest, json.value);
  if (!request.ok) return request;
  const wire = dealBinary(request.value.inputs, parts.value.binary);
  if (!wire.ok) return wire;
  const feeds = readTensors(wire.value);
  if (!feeds.ok) return feeds;
  const seat = await findSeat(registry, model, version, request.value.parameters?.digest);
  return seat.ok ? ok({ request: request.value, feeds: feeds.value, seat: seat.value }) : seat;
}

function inferResponse(model: string, version: string, outputs: Tensors): Outcome {
  const tensors = Object.entries(outputs).map(([name, tensor]) => ({ name, tensor, binary: true }));
  const message = encodeInfer({ model_name: model, model_version: version }, "outputs", tensors);
  // All data is binary, so nothing can be refused but a bug.
  if (!message.ok) return fail("internal_error", { cause: message.fault.detail ?? "" });
  const { body, headerLength } = message.value;
  return {
    ok: true,
    status: 200,
    body,
    headers: {
      "Content-Type": "application/octet-stream",
      ...(headerLength === undefined ? {} : { [headerLengthHeader]: String(headerLength) }),
      [headers.model]: `${model}@${version}`,
      [headers.tier]: "origin",
    },
  };
}
