import { status } from "@grpc/grpc-js";
import { decodeInferAnswer, encodeInfer, headerLengthHeader, type Tensors } from "@ledge/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GrpcTransport } from "../../origin/src/engines/oip/grpc-transport.ts";
import { RestTransport } from "../../origin/src/engines/oip/rest-transport.ts";
import { Wire } from "../../scripts/chaos/wire.ts";
import { type GrpcServer, type InferScript, startGrpc } from "./grpc-server.ts";
import { extremes, pairOf } from "./infer-conformance.ts";
import { type Running, startOrigin } from "./origin-process.ts";
import { json, type Script, type ScriptedServer, startScripted } from "./scripted-server.ts";

/** The engine `oip` before servers that are scripted for what real ones do seldom; real ones are in test/engines. */

const never = new AbortController().signal;
const sum = { model_name: "m", outputs: [{ name: "sum", datatype: "FP32", shape: [1, 1], data: [3] }] };
const typed = {
  outputs: [{ name: "sum", datatype: "FP32", shape: [1, 1], contents: { fp32_contents: [3] } }],
};
const three: Tensors = { sum: { datatype: "FP32", shape: [1, 1], data: Float32Array.of(3) } };

let rest: ScriptedServer;
let grpc: GrpcServer;
let running: Running;
const fails =
  (code: status, details: string): InferScript =>
  (_call, answer) =>
    answer({ code, details });

beforeAll(async () => {
  rest = await startScripted(json(200, sum));
  grpc = await startGrpc((_call, answer) => answer(null, typed));
  const engines = [
    { kind: "oip", url: rest.url, models: [{ name: "over-rest", servedName: "m" }] },
    {
      kind: "oip",
      url: grpc.url,
      keyVariable: "K",
      models: [{ name: "over-grpc", servedName: "m", servedVersion: "7" }],
    },
    { kind: "oip", url: "grpc://127.0.0.1:9", models: [{ name: "far-grpc" }] },
    { kind: "oip", url: "http://127.0.0.1:9", models: [{ name: "far-rest" }] },
    { kind: "oip", url: grpc.url, models: [{ name: "odd", servedName: "absent" }] },
  ];
  running = await startOrigin({ MODELS: "none", ENGINES: JSON.stringify(engines), K: "engine-key" });
});
afterAll(async () => {
  await running?.origin.stop();
  await rest?.close();
  grpc?.close();
});

const both = ["over-rest", "over-grpc"] as const;

async function inferOver(name: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const message = encodeInfer(
    {},
    "inputs",
    Object.entries(pairOf(1)).map(([input, tensor]) => ({ name: input, tensor, binary: true })),
  );
  if (!message.ok) throw new Error(message.fault.code);
  const { body, headerLength } = message.value;
  const length = headerLength === undefined ? {} : { [headerLengthHeader]: String(headerLength) };
  return running.call(`/v2/models/${name}/versions/1/infer`, {
    method: "POST",
    body: new Uint8Array(Buffer.from(body)),
    headers: { "content-type": "application/octet-stream", ...length, ...headers },
  });
}

async function told(response: Response) {
  return { status: response.status, ...((await response.json()) as object) };
}

describe("a real origin", () => {
  test.each(both)("answers raw tensors from a server of the protocol, %s", async (name) => {
    rest.script(json(200, sum));
    grpc.script((_call, answer) => answer(null, typed));
    const answer = await inferOver(name);
    expect(answer.headers.get("ledge-model")).toBe(`${name}@1`);
    const length = Number(answer.headers.get(headerLengthHeader));
    const outputs = decodeInferAnswer(length, new Uint8Array(await answer.arrayBuffer()));
    expect(outputs).toEqual({ ok: true, value: three });
  });

  test.each([
    [json(400, { error: "no such input" }), fails(status.INVALID_ARGUMENT, "no such input"), 400, "invalid_shape"],
    [json(404, { error: "unknown model" }), fails(status.NOT_FOUND, "unknown model"), 503, "model_not_ready"],
    [json(429, { error: "queue" }), fails(status.RESOURCE_EXHAUSTED, "queue"), 503, "overloaded"],
    [json(500, { error: "CUDA" }), fails(status.INTERNAL, "CUDA"), 502, "upstream_failed"],
    [json(401, { error: "key" }), fails(status.UNAUTHENTICATED, "key"), 502, "upstream_failed"],
  ] as const)("says the same of a refusal over REST and gRPC", async (overRest, overGrpc, ours, code) => {
    rest.script(overRest);
    grpc.script(overGrpc);
    const [one, other] = [await told(await inferOver("over-rest")), await told(await inferOver("over-grpc"))];
    expect(one).toMatchObject({ status: ours, code });
    expect({ ...other, request_id: "" }).toEqual({ ...one, request_id: "" });
    expect(JSON.stringify(one).includes("no such input")).toBe(code === "invalid_shape");
  });

  test("a server that is down is origin_unavailable, with a time to come back, over both", async () => {
    for (const name of ["far-rest", "far-grpc"]) {
      const answer = await inferOver(name);
      expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
      expect(await answer.json()).toMatchObject({ code: "origin_unavailable" });
    }
  });

  test("the start notes which servers do not answer yet, and which do not have their model", () => {
    expect(running.origin.stderr).toContain("The engine at grpc://127.0.0.1:9 does not answer yet");
    expect(running.origin.stderr).toContain("The engine at http://127.0.0.1:9 does not answer yet");
    expect(running.origin.stderr).toContain("is not ready with 'absent': load it there");
  });

  test("a deadline reaches the server, over both", async () => {
    const left: Promise<unknown>[] = [];
    rest.script(({ left: gone }) => void left.push(gone));
    grpc.script((call) => void left.push(new Promise((resolve) => call.once("cancelled", resolve))));
    for (const name of both) {
      const answer = await inferOver(name, { "ledge-timeout-ms": "150" });
      expect(await told(answer)).toMatchObject({ status: 504, code: "deadline_exceeded" });
    }
    await Promise.all(left);
    expect(left).toHaveLength(2);
  });

  test("gRPC sends the key, the server's own name and version, and tensors as bytes", async () => {
    let asked: Parameters<InferScript>[0] | undefined;
    grpc.script((call, answer) => {
      asked = call;
      answer(null, typed);
    });
    await inferOver("over-grpc");
    expect(asked?.request).toMatchObject({ model_name: "m", model_version: "7" });
    expect(asked?.request.raw_input_contents.map(({ length }) => length)).toEqual([16, 16]);
    expect(asked?.metadata.get("authorization")).toEqual(["Bearer engine-key"]);
  });
});

describe("the transports", () => {
  const server = (url: string) => ({ url, key: undefined, answerBytesMax: 1_000_000 });

  test("REST sends bytes where the server names the extension, asks once, and else sends JSON", async () => {
    for (const [extensions, type] of [
      [["binary_tensor_data"], "application/octet-stream"],
      [[], "application/json"],
    ] as const) {
      const types: (string | undefined)[] = [];
      let asked = 0;
      const answers: Script = (got, response) => {
        if (got.path === "/v2") asked += 1;
        else types.push(got.headers["content-type"]);
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify(got.path === "/v2" ? { name: "s", version: "1", extensions } : sum));
      };
      const raw = await startScripted(answers);
      const transport = new RestTransport(server(raw.url), undefined);
      for (let at = 0; at < 2; at++) {
        expect(await transport.infer({ name: "m", version: undefined }, pairOf(1), undefined, never)).toEqual({
          ok: true,
          value: three,
        });
      }
      expect([asked, types]).toEqual([1, [type, type]]);
      await raw.close();
    }
  });

  test("gRPC reads typed contents of every datatype that has them", async () => {
    const contents = {
      BOOL: { bool_contents: [true, false] },
      UINT8: { uint_contents: [0, 255] },
      UINT16: { uint_contents: [0, 65_535] },
      UINT32: { uint_contents: [0, 4_294_967_295] },
      UINT64: { uint64_contents: ["0", "18446744073709551615"] },
      INT8: { int_contents: [-128, 127] },
      INT16: { int_contents: [-32_768, 32_767] },
      INT32: { int_contents: [-(2 ** 31), 2 ** 31 - 1] },
      INT64: { int64_contents: ["-9223372036854775808", "9223372036854775807"] },
      FP32: { fp32_contents: [-0.1, 3e38] },
      FP64: { fp64_contents: [-0.1, 1e308] },
      BYTES: { bytes_contents: [Buffer.from(""), Buffer.from("Grüße 😀")] },
    };
    const outputs = Object.entries(contents).map(([name, held]) => ({
      name,
      datatype: name,
      shape: [1, 2],
      contents: held,
    }));
    grpc.script((_call, answer) => answer(null, { outputs }));
    const transport = new GrpcTransport(server(grpc.url));
    const { FP16: _onlyAsBytes, ...wanted } = extremes;
    const answer = await transport.infer({ name: "m", version: undefined }, {}, undefined, never);
    expect(answer).toEqual({ ok: true, value: wanted });
    transport.close();
  });

  test.each([
    { name: "x", datatype: "FP16", shape: [1], contents: { uint_contents: [1] } },
    { name: "x", datatype: "FP32", shape: [3], contents: { fp32_contents: [1] } },
    { name: "x", datatype: "FP4", shape: [1], contents: { uint_contents: [1] } },
  ])("gRPC: an answer that is no inference is upstream_failed, %j", async (output) => {
    grpc.script((_call, answer) => answer(null, { outputs: [output] }));
    const transport = new GrpcTransport(server(grpc.url));
    const answer = await transport.infer({ name: "m", version: undefined }, {}, undefined, never);
    expect(answer).toMatchObject({ ok: false, fault: { code: "upstream_failed" } });
    transport.close();
  });

  test("gRPC: a server that comes back is found again", async () => {
    const first = await startGrpc((_call, answer) => answer(null, typed));
    const transport = new GrpcTransport(server(first.url));
    const ask = () => transport.infer({ name: "m", version: undefined }, {}, undefined, never);
    expect(await ask()).toEqual({ ok: true, value: three });
    first.close();
    expect(await ask()).toMatchObject({ fault: { code: "origin_unavailable" } });
    const again = await startGrpc((_call, answer) => answer(null, typed), Number(new URL(first.url).port));
    await expect.poll(ask, { timeout: 20_000 }).toEqual({ ok: true, value: three });
    transport.close();
    again.close();
  });

  test("gRPC: a connection that was lost without a word costs the calls that were on it, and none after", async () => {
    const far = await startGrpc((_call, answer) => answer(null, typed));
    const wire = await Wire.open(Math.random);
    wire.port = Number(new URL(far.url).port);
    const transport = new GrpcTransport(server(`grpc://${wire.address}`));
    const ask = (signal = never) => transport.infer({ name: "m", version: undefined }, {}, undefined, signal);
    expect(await ask()).toEqual({ ok: true, value: three });
    wire.weather = { kind: "drop" };
    const late = new AbortController();
    const lost = ask(late.signal);
    late.abort("deadline");
    expect(await lost).toMatchObject({ fault: { code: "deadline_exceeded" } });
    expect(await ask()).toEqual({ ok: true, value: three });
    transport.close();
    await wire.close();
    far.close();
  });
});
