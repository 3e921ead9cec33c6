import {
  decodeInferAnswer,
  encodeInfer,
  fail,
  headerLengthHeader,
  ok,
  type Result,
  type Tensors,
} from "@ledge/contract";
import { faultOfCallOff } from "../../call-off.ts";
import { callServer, type EngineServer, readBody, readText, reasonOf, type ServerAnswer } from "../call-server.ts";
import type { OipTransport, ServedModel } from "./oip-engine.ts";

/** The extension of the protocol by which tensors travel as bytes behind the JSON. */
const binaryExtension = "binary_tensor_data";
const metadataBytesMax = 1_048_576;

/**
 * The protocol's REST form. Tensors travel as bytes when `binary` says so, or, where it says nothing, when the server names the
 * extension; else as JSON, which has no form for FP16 and loses digits of 64-bit integers beyond 2^53.
 */
export class RestTransport implements OipTransport {
  readonly #server: EngineServer;
  #binary: boolean | undefined;

  constructor(server: EngineServer, binary: boolean | undefined) {
    this.#server = server;
    this.#binary = binary;
  }

  async infer(
    model: ServedModel,
    feeds: Tensors,
    outputs: readonly string[] | undefined,
    signal: AbortSignal,
  ): Promise<Result<Tensors>> {
    const outgoing = outgoingOf(feeds, outputs, await this.#isBinary(signal));
    if (!outgoing.ok) return outgoing;
    const response = await callServer(this.#server, `${pathOf(model)}/infer`, outgoing.value, signal);
    if (!response.ok) return { ok: false, fault: shapeFault(response.fault) };
    try {
      const body = await readBody(response.value, this.#server.answerBytesMax);
      return body.ok ? tensorsIn(response.value, body.value) : body;
    } catch (error) {
      if (signal.aborted) return { ok: false, fault: faultOfCallOff(signal) };
      return fail("upstream_failed", { cause: `engine: the answer broke off: ${reasonOf(error)}` });
    }
  }

  async ready(model: ServedModel, signal: AbortSignal): Promise<Result<boolean>> {
    const { status } = await this.#get(`${pathOf(model)}/ready`, signal);
    if (status === undefined) return fail("origin_unavailable");
    return ok(status === 200);
  }

  close(): void {}

  /** What a server said once stays true; one that does not say is asked again. */
  async #isBinary(signal: AbortSignal): Promise<boolean> {
    if (this.#binary !== undefined) return this.#binary;
    const { status, text } = await this.#get("/v2", signal);
    if (status === 200) this.#binary = extensionsIn(text).includes(binaryExtension);
    return this.#binary ?? false;
  }

  async #get(path: string, signal: AbortSignal): Promise<{ readonly status?: number; readonly text: string }> {
    const headers = this.#server.key === undefined ? {} : { Authorization: `Bearer ${this.#server.key}` };
    try {
      const response = await fetch(this.#server.url + path, { headers, redirect: "manual", signal });
      const text = await readText(response, metadataBytesMax);
      return { status: response.status, text: text.ok ? text.value : "" };
    } catch {
      return { text: "" };
    }
  }
}

function pathOf({ name, version }: ServedModel): string {
  const versioned = version === undefined ? "" : `/versions/${encodeURIComponent(version)}`;
  return `/v2/models/${encodeURIComponent(name)}${versioned}`;
}

let asked = 0;

/** A request's id is of no use to us, but KServe's models give it back and fail without one. */
function outgoingOf(feeds: Tensors, outputs: readonly string[] | undefined, binary: boolean) {
  const named = outputs?.map((name) => (binary ? { name, parameters: { binary_data: true } } : { name }));
  const head = {
    id: String(asked++),
    ...(binary ? { parameters: { binary_data_output: true } } : {}),
    ...(named === undefined ? {} : { outputs: named }),
  };
  const tensors = Object.entries(feeds).map(([name, tensor]) => ({ name, tensor, binary }));
  const message = encodeInfer(head, "inputs", tensors);
  if (!message.ok) return message;
  const { body, headerLength } = message.value;
  const type = headerLength === undefined ? "application/json" : "application/octet-stream";
  const length = headerLength === undefined ? {} : { [headerLengthHeader]: String(headerLength) };
  const sent = typeof body === "string" ? body : new Uint8Array(body);
  return ok({ body: sent, headers: { "Content-Type": type, ...length } });
}

function tensorsIn(response: ServerAnswer, body: Uint8Array): Result<Tensors> {
  const length = response.headers.get(headerLengthHeader);
  const outputs = decodeInferAnswer(length === null ? undefined : Number(length), body);
  if (outputs.ok) return outputs;
  const { code, detail, issues } = outputs.fault;
  return fail("upstream_failed", { cause: `engine: no inference: ${code} ${detail ?? JSON.stringify(issues ?? "")}` });
}

function shapeFault(fault: Parameters<typeof fail>[1] & { readonly code: Parameters<typeof fail>[0] }) {
  return fault.code === "invalid_request" ? { ...fault, code: "invalid_shape" as const } : fault;
}

function extensionsIn(text: string): readonly unknown[] {
  try {
    const { extensions } = JSON.parse(text);
    return Array.isArray(extensions) ? extensions : [];
  } catch {
    return [];
  }
}
