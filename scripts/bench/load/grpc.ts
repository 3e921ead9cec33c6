import { fileURLToPath } from "node:url";
import { type ClientUnaryCall, credentials, loadPackageDefinition, type ServiceError } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { quantile } from "../statistics.ts";
import type { Findings } from "./job.ts";

interface Client {
  ModelInfer(request: object, done: (error: ServiceError | null) => void): ClientUnaryCall;
  close(): void;
}

const proto = fileURLToPath(new URL("../../../origin/src/engines/oip/open-inference.proto", import.meta.url));

/** What a program that speaks gRPC itself gets of an Open Inference Protocol server: the same call again as soon as it is answered. */
export async function driveGrpc(
  host: string,
  request: object,
  { connections, seconds }: { readonly connections: number; readonly seconds: number },
): Promise<Findings> {
  const definition = loadSync(proto, { keepCase: true, longs: String, defaults: true });
  const { inference } = loadPackageDefinition(definition) as unknown as {
    readonly inference: {
      readonly GRPCInferenceService: new (
        host: string,
        secured: ReturnType<typeof credentials.createInsecure>,
      ) => Client;
    };
  };
  const client = new inference.GRPCInferenceService(host, credentials.createInsecure());
  const latencies: number[] = [];
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  const endMs = startedMs + 1_000 * seconds;
  const caller = async () => {
    while (performance.now() < endMs) {
      const atMs = performance.now();
      await new Promise<void>((resolve, reject) => {
        client.ModelInfer(request, (error) => (error === null ? resolve() : reject(error)));
      });
      latencies.push(performance.now() - atMs);
    }
  };
  try {
    await Promise.all(Array.from({ length: connections }, caller));
  } finally {
    client.close();
  }
  const elapsedMs = performance.now() - startedMs;
  const cpu = process.cpuUsage(cpuBefore);
  latencies.sort((a, b) => a - b);
  const answers = latencies.length;
  return {
    answers,
    seconds: elapsedMs / 1_000,
    requestsPerSecond: (1_000 * answers) / elapsedMs,
    latencyMsMean: latencies.reduce((sum, ms) => sum + ms, 0) / answers,
    latencyMsP50: quantile(latencies, 0.5),
    latencyMsP99: quantile(latencies, 0.99),
    generatorCpuUs: (cpu.user + cpu.system) / answers,
  };
}
