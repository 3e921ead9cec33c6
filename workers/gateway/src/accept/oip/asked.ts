import { fail, ok, type Result } from "@ledge/contract";
import type { ClassifyCall, DeployedModel, TensorsCall } from "../../exchange.ts";
import type { InferFrame } from "./frame.ts";
import { givenTensors } from "./raw-body.ts";
import { signatureOf } from "./signature.ts";
import { stepsCall } from "./steps-call.ts";
import { tensorsCall } from "./tensors-call.ts";
import { type OutputWish, wishesOf } from "./wishes.ts";

/** What an infer request asks of the model that was assigned. */
export interface InferAsked {
  readonly call: ClassifyCall | TensorsCall;
  readonly wishes: readonly OutputWish[];
  readonly id?: string;
}

/** Through the model's steps when its input is named, else by the graph's own tensors. Errors: `invalid_shape`, `unsupported_task`, `unsupported_extension`. */
export function askInfer(frame: InferFrame, model: DeployedModel): Result<InferAsked> {
  const { manifest } = model;
  if (manifest.task === "chat") {
    return fail("unsupported_task", { detail: `'${model.name}' continues texts: ask it at …/generate.` });
  }
  const signature = signatureOf(manifest);
  const given = givenTensors(frame, signature?.inputs ?? manifest.inputs);
  if (!given.ok) return given;
  const throughSteps = signature !== undefined && given.value.some(({ head }) => head.name === signature.input);
  const wishes = wishesOf(frame, throughSteps ? signature.outputs : manifest.outputs);
  if (!wishes.ok) return wishes;
  const call = throughSteps
    ? stepsCall(frame, model, signature, given.value, wishes.value)
    : tensorsCall(frame, model, given.value);
  if (!call.ok) return call;
  return ok({ call: call.value, wishes: wishes.value, ...(frame.id === undefined ? {} : { id: frame.id }) });
}
