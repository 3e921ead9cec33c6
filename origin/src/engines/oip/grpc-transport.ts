import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import {
  type ChannelCredentials,
  type ClientUnaryCall,
  credentials,
  loadPackageDefinition,
  Metadata,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { type Fault, fail, ok, type Result, type Tensors, toBinary } from "@ledge/contract";
import { faultOfCallOff } from "../../call-off.ts";
import type { EngineServer } from "../call-server.ts";
import { type GrpcTensor, tensorOf } from "./grpc-tensors.ts";
import type { OipTransport, ServedModel } from "./oip-engine.ts";

interface InferAnswer {
  readonly outputs: readonly GrpcTensor[];
  readonly raw_output_contents: readonly Buffer[];
}

interface ReadyAnswer {
  readonly ready: boolean;
}

type Unary<T> = (
  request: object,
  metadata: Metadata,
  done: (error: ServiceError | null, answer: T | undefined) => void,
) => ClientUnaryCall;

interface Client {
  readonly ModelInfer: Unary<InferAnswer>;
  readonly ModelReady: Unary<ReadyAnswer>;
  close(): void;
}

type ClientClass = new (address: string, secured: ChannelCredentials, options: object) => Client;

/** A server that is back is found again within this time. */
const reconnectMsMax = 2_000;

/**
 * The protocol over gRPC. Tensors travel as bytes; an answer may hold them either way. All calls share one connection, and one that was
 * lost on its way without a word would hang every call until the system gives up, a quarter of an hour later. Pings would find out,
 * and servers close the connection of who pings more than each five minutes. So a call whose time passed, with nothing heard since it
 * began, takes the connection along: the next call makes a new one.
 */
export class GrpcTransport implements OipTransport {
  readonly #connect: () => Client;
  readonly #metadata = new Metadata();
  #client: Client;
  #heardMs = 0;

  /** The server's URL says where it is and whether TLS is spoken: `grpc:` or `grpcs:`. */
  constructor({ url, key, answerBytesMax }: EngineServer) {
    const { host, protocol } = new URL(url);
    const secured = protocol === "grpcs:" ? credentials.createSsl() : credentials.createInsecure();
    const Client = clientClass();
    this.#connect = () =>
      new Client(host, secured, {
        "grpc.max_receive_message_length": answerBytesMax,
        "grpc.initial_reconnect_backoff_ms": reconnectMsMax / 10,
        "grpc.max_reconnect_backoff_ms": reconnectMsMax,
        // Else a new client would take up the connection of the old one.
        "grpc.use_local_subchannel_pool": 1,
      });
    this.#client = this.#connect();
    if (key !== undefined) this.#metadata.set("authorization", `Bearer ${key}`);
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
    const answer = await this.#call<InferAnswer>(
      (client, done) => client.ModelInfer(request, this.#metadata, done),
      signal,
    );
    return answer.ok ? tensorsIn(answer.value) : answer;
  }

  async ready(model: ServedModel, signal: AbortSignal): Promise<Result<boolean>> {
    const request = { name: model.name, version: model.version ?? "" };
    const answer = await this.#call<ReadyAnswer>(
      (client, done) => client.ModelReady(request, this.#metadata, done),
      signal,
    );
    if (answer.ok) return ok(answer.value.ready);
    return answer.fault.code === "model_not_ready" ? ok(false) : answer;
  }

  close(): void {
    this.#client.close();
  }

  /** One call, which is cancelled at the server when the signal fires. */
  #call<T>(
    start: (client: Client, done: (error: ServiceError | null, answer: T | undefined) => void) => ClientUnaryCall,
    signal: AbortSignal,
  ): Promise<Result<T>> {
    if (signal.aborted) return Promise.resolve({ ok: false, fault: faultOfCallOff(signal) });
    const [client, startedMs] = [this.#client, performance.now()];
    return new Promise((resolve) => {
      const call = start(client, (error, answer) => {
        signal.removeEventListener("abort", cancel);
        if (!signal.aborted) this.#heardMs = performance.now();
        if (signal.aborted) resolve({ ok: false, fault: faultOfCallOff(signal) });
        else if (error !== null || answer === undefined) resolve({ ok: false, fault: faultOf(error) });
        else resolve(ok(answer));
      });
      const cancel = () => {
        call.cancel();
        if (signal.reason === "deadline" && this.#heardMs < startedMs) this.#leave(client);
      };
      signal.addEventListener("abort", cancel, { once: true });
    });
  }

  /** Calls that are under way on it may end. */
  #leave(client: Client): void {
    if (client !== this.#client) return;
    this.#client = this.#connect();
    client.close();
  }
}

function clientClass(): ClientClass {
  const path = fileURLToPath(new URL("open-inference.proto", import.meta.url));
  const definition = loadSync(path, { keepCase: true, longs: String, defaults: true, oneofs: true });
  const { inference } = loadPackageDefinition(definition) as unknown as {
    readonly inference: { readonly GRPCInferenceService: ClientClass };
  };
  return inference.GRPCInferenceService;
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
function faultOf(error: ServiceError | null): Fault {
  const cause = `engine: gRPC status ${error?.code ?? "none"}`;
  switch (error?.code) {
    case status.INVALID_ARGUMENT:
    case status.OUT_OF_RANGE:
      return { code: "invalid_shape", detail: error.details.slice(0, detailCharsMax), cause };
    case status.NOT_FOUND:
    case status.UNIMPLEMENTED:
      return { code: "model_not_ready", cause };
    case status.UNAVAILABLE:
      return { code: "origin_unavailable", retryAfterMs: 1_000, cause: `${cause}: ${error.details.slice(0, 200)}` };
    case status.RESOURCE_EXHAUSTED:
      return { code: "overloaded", cause };
    case status.DEADLINE_EXCEEDED:
      return { code: "deadline_exceeded", cause };
    default:
      return { code: "upstream_failed", cause };
  }
}
