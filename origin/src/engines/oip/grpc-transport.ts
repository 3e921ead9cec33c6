import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { loadSync } from "@grpc/proto-loader";
import { type Fault, fail, ok, type Result, type Tensors, toBinary } from "@ledge/contract";
import { faultOfCallOff } from "../../call-off.ts";
import { type EngineServer, reasonOf } from "../call-server.ts";
import { type GrpcAnswer, GrpcChannel, grpcStatus } from "./grpc-channel.ts";
import { type GrpcTensor, tensorOf } from "./grpc-tensors.ts";
import type { OipTransport, ServedModel } from "./oip-engine.ts";

interface InferAnswer {
  readonly outputs: readonly GrpcTensor[];
  readonly raw_output_contents: readonly Buffer[];
}

interface ReadyAnswer {
  readonly ready: boolean;
}

/** One method of the service: where it is, and how its messages are written and read. */
interface Method<T> {
  readonly path: string;
  readonly requestSerialize: (request: object) => Buffer;
  readonly responseDeserialize: (message: Buffer) => T;
}

interface Service {
  readonly ModelInfer: Method<InferAnswer>;
  readonly ModelReady: Method<ReadyAnswer>;
}

/**
 * The protocol over gRPC. Tensors travel as bytes; an answer may hold them either way. All calls share one connection, and one that was
 * lost on its way without a word would hang every call until the system gives up, a quarter of an hour later. Pings would find out,
 * and servers close the connection of who pings more than each five minutes. So a call whose time passed, with nothing heard since it
 * began, takes the connection along: the next call makes a new one.
 */
export class GrpcTransport implements OipTransport {
  readonly #channel: GrpcChannel;
  readonly #service = readService();
  #heardMs = 0;

  /** The server's URL says where it is and whether TLS is spoken: `grpc:` or `grpcs:`. */
  constructor({ url, key, answerBytesMax }: EngineServer) {
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
    this.#channel = new GrpcChannel(url, headers, answerBytesMax);
  }

  async infer(
    model: ServedModel,
    feeds: Tensors,
    outputs: readonly string[] | undefined,
    signal: AbortSignal,
  ): Promise<Result<Tensors>> {
    const request = {
      model_name: model.name,
      model_version: model.version ?? "",
      id: randomUUID(),
      inputs: Object.entries(feeds).map(([name, { datatype, shape }]) => ({ name, datatype, shape })),
      outputs: (outputs ?? []).map((name) => ({ name })),
      raw_input_contents: Object.values(feeds).map((tensor) => toBinary(tensor)),
    };
    const answer = await this.#call(this.#service.ModelInfer, request, signal);
    return answer.ok ? tensorsIn(answer.value) : answer;
  }

  async ready(model: ServedModel, signal: AbortSignal): Promise<Result<boolean>> {
    const request = { name: model.name, version: model.version ?? "" };
    const answer = await this.#call(this.#service.ModelReady, request, signal);
    if (answer.ok) return ok(answer.value.ready);
    return answer.fault.code === "model_not_ready" ? ok(false) : answer;
  }

  close(): void {
    this.#channel.close();
  }

  /** One call, which is cancelled at the server when the signal fires. */
  async #call<T>(method: Method<T>, request: object, signal: AbortSignal): Promise<Result<T>> {
    const [connection, startedMs] = [this.#channel.connection, performance.now()];
    const answer = await this.#channel.call(method.path, method.requestSerialize(request), signal);
    if (signal.aborted) {
      if (signal.reason === "deadline" && this.#heardMs < startedMs) this.#channel.leave(connection);
      return { ok: false, fault: faultOfCallOff(signal) };
    }
    this.#heardMs = performance.now();
    if (!answer.ok) return { ok: false, fault: faultOf(answer) };
    try {
      return ok(method.responseDeserialize(answer.message));
    } catch (error) {
      return fail("upstream_failed", { cause: `engine: an answer that cannot be read: ${reasonOf(error)}` });
    }
  }
}

function readService(): Service {
  const path = fileURLToPath(new URL("open-inference.proto", import.meta.url));
  const definition = loadSync(path, { keepCase: true, longs: String, defaults: true, oneofs: true });
  return definition["inference.GRPCInferenceService"] as unknown as Service;
}

function tensorsIn({ outputs, raw_output_contents: raw }: InferAnswer): Result<Tensors> {
  const tensors: [string, Tensors[string]][] = [];
  for (const [at, output] of outputs.entries()) {
    const tensor = tensorOf(output, raw.length === 0 ? undefined : (raw[at] ?? Buffer.alloc(0)));
    if (!tensor.ok) return fail("upstream_failed", { cause: `engine: no inference: ${tensor.fault.detail}` });
    tensors.push([output.name, tensor.value]);
  }
  return ok(Object.fromEntries(tensors));
}

const detailCharsMax = 500;

/** As the same refusal over REST: see `faultOfStatus`. */
function faultOf({ status, details }: Extract<GrpcAnswer, { ok: false }>): Fault {
  const cause = `engine: gRPC status ${status}`;
  switch (status) {
    case grpcStatus.invalidArgument:
    case grpcStatus.outOfRange:
      return { code: "invalid_shape", detail: details.slice(0, detailCharsMax), cause };
    case grpcStatus.notFound:
    case grpcStatus.unimplemented:
      return { code: "model_not_ready", cause };
    case grpcStatus.unavailable:
      return { code: "origin_unavailable", retryAfterMs: 1_000, cause: `${cause}: ${details.slice(0, 200)}` };
    case grpcStatus.resourceExhausted:
      return { code: "overloaded", cause };
    case grpcStatus.deadlineExceeded:
      return { code: "deadline_exceeded", cause };
    default:
      return { code: "upstream_failed", cause };
  }
}
