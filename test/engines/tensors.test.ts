import { afterAll, describe, expect, test } from "vitest";
import { transportOf } from "../../origin/src/engines/add-remote.ts";
import { OipEngine } from "../../origin/src/engines/oip/oip-engine.ts";
import { type EngineServerProcess, startServer } from "../../scripts/engines/server.ts";
import { type ServerName, servers } from "../../scripts/engines/servers.ts";
import { hasPython, needsPython } from "../../scripts/python-venv.ts";
import { extremes, feedsOf, infer, inferConformance, pairOf, type TensorEngines } from "../origin/infer-conformance.ts";

/**
 * Real Open Inference Protocol servers, over REST and gRPC. The one that installs soonest is tried wherever there is a
 * Python; the others by `npm run test:engines`.
 */

const python = await hasPython();
const everyServer = process.env.LEDGE_ENGINES === "all";
const running = new Map<ServerName, Promise<EngineServerProcess>>();

afterAll(async () => {
  for (const server of running.values()) await (await server.catch(() => undefined))?.close();
});

function serverOf(name: ServerName): Promise<EngineServerProcess> {
  const known = running.get(name);
  if (known !== undefined) return known;
  const started = servers[name]().then(startServer);
  running.set(name, started);
  return started;
}

async function enginesOf(name: ServerName, how: "http" | "grpc", binary?: boolean): Promise<TensorEngines> {
  const url = (await serverOf(name))[how];
  const server = { url, key: undefined, answerBytesMax: 67_108_864 };
  const made = async (served: string) => {
    const transport = await transportOf(server, binary);
    const model = { name: served, version: "1", task: "tensor" } as const;
    return new OipEngine(model, transport, { name: served, version: undefined });
  };
  return { pair: await made("pair"), echo: await made("echo") };
}

describe.skipIf(!python)(`a server that installs soon (${needsPython})`, () => {
  inferConformance("KServe over REST, tensors as bytes", () => enginesOf("kserve", "http", true));
  const asUsual = "KServe over REST, tensors as JSON, as it is asked unless a setting says otherwise";
  inferConformance(asUsual, () => enginesOf("kserve", "http"), { bytes: true });
  inferConformance("KServe over gRPC", () => enginesOf("kserve", "grpc"));
  equalAnswers("kserve", true);
});

describe.skipIf(!python || !everyServer)("servers that install late", () => {
  inferConformance("MLServer over REST, tensors as JSON", () => enginesOf("mlserver", "http"), { bytes: true });
  inferConformance("MLServer over gRPC", () => enginesOf("mlserver", "grpc"));
  inferConformance("Triton over REST, tensors as bytes", () => enginesOf("triton", "http"));
  inferConformance("Triton over gRPC", () => enginesOf("triton", "grpc"));
  equalAnswers("triton");
  inferConformance("Ray Serve over REST, tensors as JSON", () => enginesOf("ray", "http"), { bytes: true });
});

function equalAnswers(name: ServerName, binary?: boolean): void {
  test(`${name}: gRPC and REST give equal answers`, async () => {
    const [rest, grpc] = [await enginesOf(name, "http", binary), await enginesOf(name, "grpc")];
    const feeds = feedsOf(extremes);
    expect(await infer(grpc.echo, feeds)).toEqual(await infer(rest.echo, feeds));
    expect(await infer(grpc.pair, pairOf(3))).toEqual(await infer(rest.pair, pairOf(3)));
  });
}
