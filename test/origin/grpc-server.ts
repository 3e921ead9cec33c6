import { fileURLToPath } from "node:url";
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

/** A request of `ModelInfer` as it comes in, as far as tests look into it. */
export interface InferAsked {
  readonly model_name: string;
  readonly model_version: string;
  readonly inputs: readonly { readonly name: string; readonly datatype: string; readonly shape: readonly string[] }[];
  readonly outputs: readonly { readonly name: string }[];
  readonly raw_input_contents: readonly Buffer[];
}

export type InferCall = ServerUnaryCall<InferAsked, object>;
export type InferScript = (call: InferCall, answer: sendUnaryData<object>) => void;

export interface GrpcServer {
  readonly url: string;
  script(next: InferScript): void;
  close(): void;
}

const proto = fileURLToPath(new URL("../../origin/src/engines/oip/open-inference.proto", import.meta.url));

/** A gRPC server of the protocol that answers as each test says. Every model is ready but `absent`. */
export async function startGrpc(first: InferScript, port = 0): Promise<GrpcServer> {
  let script = first;
  const server = new Server();
  const definition = loadSync(proto, { keepCase: true, longs: String, defaults: true });
  const { inference } = loadPackageDefinition(definition) as unknown as {
    readonly inference: { readonly GRPCInferenceService: { readonly service: Parameters<Server["addService"]>[0] } };
  };
  server.addService(inference.GRPCInferenceService.service, {
    ModelInfer: (call: InferCall, answer: sendUnaryData<object>) => script(call, answer),
    ModelReady: (call: ServerUnaryCall<{ readonly name: string }, object>, answer: sendUnaryData<object>) =>
      answer(null, { ready: call.request.name !== "absent" }),
  });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, at) =>
      error === null ? resolve(at) : reject(error),
    );
  });
  return {
    url: `grpc://127.0.0.1:${bound}`,
    script: (next) => {
      script = next;
    },
    close: () => server.forceShutdown(),
  };
}
