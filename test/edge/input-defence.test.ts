import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeInfer, type TenantRecord, type Tensor } from "@ledge/contract";
import { tensorProfileOf, unregistered } from "@ledge/policy";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunningOrigin } from "../../scripts/local/origin.ts";
import { registerPackage, registerPackages } from "../../scripts/local/packages.ts";
import { repoRoot } from "../../scripts/repo.ts";
import { bodyOf } from "../support/answer-body.ts";
import { startEdge, startFakeOrigin, type TestEdge, until } from "../support/ledge.ts";
import { graphPackage, value } from "../support/onnx/graph-package.ts";
import { deskOf } from "../support/registry.ts";
import { storeKey } from "../support/stored-keys.ts";

/** What a tenant's policy says of inputs, with the real guard model in real workerd before a scripted engine. */

let origin: RunningOrigin;
let edge: TestEdge;
let models: string;

beforeAll(async () => {
  origin = await startFakeOrigin({ tokens: ["fine", "."], tokenMs: 1 });
  edge = await startEdge({ originUrl: origin.url });
  models = mkdtempSync(join(tmpdir(), "ledge-guard-"));
  mkdirSync(join(models, "guard"));
  cpSync(join(repoRoot, "models", "guard", "1"), join(models, "guard", "1"), { recursive: true });
  await registerPackages(deskOf(edge), models, () => undefined);
});
afterAll(async () => {
  await edge.close();
  await origin.close();
  rmSync(models, { recursive: true, force: true });
});

type Policy = { readonly guard?: Partial<TenantRecord["guard"]>; readonly input?: Partial<TenantRecord["input"]> };

let tenants = 0;

/** A key of a tenant of its own with this policy. */
async function keyWith({ guard, input }: Policy): Promise<string> {
  const name = `tenant-${++tenants}`;
  const usual = unregistered(name);
  const record = { ...usual, guard: { ...usual.guard, ...guard }, input: { ...usual.input, ...input } };
  const keys = await edge.miniflare.getKVNamespace("KEYS", "ledge-gateway");
  await keys.put(`tenant:${name}`, JSON.stringify(record));
  return (await storeKey(edge, { tenant: name })).key;
}

const flagsOf = (answer: Response) => answer.headers.get("Ledge-Input-Flags");
const hidden = "transfer fifty\u202e dollars\u200b to savings";
const rude = "you are a fucking stupid bitch and i hate you";
const polite = "what is the weather like in Paris tomorrow";

function chat(key: string, content: string, stream = false, headers: Record<string, string> = {}) {
  const body = { model: "tiny-chat", messages: [{ role: "user", content }], temperature: 0, stream };
  return edge.post("/v1/chat/completions", key, body, headers);
}

/** A chat that says what was said of its answer already. */
function resumed(key: string, text: string) {
  const body = {
    model: "tiny-chat",
    messages: [{ role: "user", content: polite }],
    stream_options: { resume: { text } },
  };
  return edge.post("/v1/chat/completions", key, body);
}

describe("characters that hide something", () => {
  const predict = (key: string, input: string) => edge.post("/v1/predict", key, { model: "intent", input });

  test("are let through unread where the tenant's policy allows them, flagged where it flags, refused where it refuses", async () => {
    const [allow, flag, refuse] = await Promise.all(
      (["allow", "flag", "refuse"] as const).map((unicode) => keyWith({ input: { unicode } })),
    );
    const allowed = await predict(allow ?? "", hidden);
    expect([allowed.status, flagsOf(allowed)]).toEqual([200, null]);
    const flagged = await predict(flag ?? "", hidden);
    expect([flagged.status, flagsOf(flagged)]).toEqual([200, "bidi, invisible"]);
    const refused = await predict(refuse ?? "", hidden);
    expect([refused.status, (await bodyOf(refused)).code]).toEqual([422, "input_refused"]);
    expect((await predict(refuse ?? "", "transfer fifty dollars to savings")).status).toBe(200);
  });

  test("are looked for in chats and embeddings too", async () => {
    const key = await keyWith({ input: { unicode: "refuse" } });
    const refused = await chat(key, hidden);
    expect([refused.status, (await bodyOf(refused)).error.code]).toEqual([422, "input_refused"]);
  });

  test("are looked for in what an answer is resumed from", async () => {
    const refused = await resumed(await keyWith({ input: { unicode: "refuse" } }), hidden);
    expect([refused.status, (await bodyOf(refused)).error.code]).toEqual([422, "input_refused"]);
  });

  test("change nothing of the text: the flagged one and the plain one are asked apart", async () => {
    const key = await keyWith({ input: { unicode: "flag" } });
    await predict(key, "transfer fifty dollars to savings");
    const flagged = await predict(key, hidden);
    expect(flagged.headers.get("Cache-Status")).not.toContain("hit");
  });
});

describe("a text unlike those the model was made with", () => {
  const odd = "4111 1111 1111 1111 4242 4242 4242 4242 5555 5555 5555 4444 {}[]();//==";

  test("is flagged with its distance, or refused, as the tenant's policy says", async () => {
    const flag = await keyWith({ input: { out_of_distribution: "flag" } });
    const answer = await edge.post("/v1/predict", flag, { model: "intent", input: odd });
    expect(answer.status).toBe(200);
    expect(flagsOf(answer)).toMatch(/^out-of-distribution;distance=[0-9.]+$/);
    const usual = await edge.post("/v1/predict", flag, { model: "intent", input: polite });
    expect(flagsOf(usual)).toBeNull();
    const refuse = await keyWith({ input: { out_of_distribution: "refuse" } });
    const refused = await edge.post("/v1/predict", refuse, { model: "intent", input: odd });
    expect([refused.status, (await bodyOf(refused)).code]).toEqual([422, "input_refused"]);
  });
});

/** Rows as a thermometer and a barometer give them: about 20 °C, and about 1,013 hPa. */
const measured = (rows: number) =>
  Array.from({ length: rows }, (_, i) => [20 + 4 * Math.sin(i * 1.7), 1_013 + 9 * Math.cos(i * 2.3)]);

const tensorOf = (rows: readonly (readonly number[])[]) =>
  ({ datatype: "FP32", shape: [rows.length, 2], data: Float32Array.from(rows.flat()) }) as const satisfies Tensor;

describe("numbers unlike those the model was made with", () => {
  const infer = "/v2/models/weather/infer";
  /** Fahrenheit and millimetres of mercury. */
  const odd = [[68, 760]];

  beforeAll(async () => {
    const { manifest, files } = graphPackage("weather", {
      inputs: [value("x", "FP32", [-1, 2])],
      outputs: [value("y", "FP32", [-1, 2])],
      nodes: [{ op: "Add", inputs: ["x", "x"], outputs: ["y"] }],
    });
    const profile = { tensors: { x: tensorProfileOf(tensorOf(measured(2_000)), true) } };
    await registerPackage(deskOf(edge), { ...manifest, profile }, (path) => new Uint8Array(files[path] ?? []));
  });

  const json = (key: string, rows: readonly (readonly number[])[], headers: Record<string, string> = {}) => {
    const { shape, data, datatype } = tensorOf(rows);
    return edge.post(infer, key, { inputs: [{ name: "x", datatype, shape, data: [...data] }] }, headers);
  };

  async function binary(key: string, rows: readonly (readonly number[])[]): Promise<Response> {
    const message = encodeInfer({}, "inputs", [{ name: "x", tensor: tensorOf(rows), binary: true }]);
    if (!message.ok) throw new Error(message.fault.detail);
    const { body, headerLength } = message.value;
    const headers = { Authorization: `Bearer ${key}`, "Inference-Header-Content-Length": String(headerLength) };
    return await fetch(edge.url + infer, { method: "POST", headers, body: new Uint8Array(body as Uint8Array) });
  }

  test.each([
    ["JSON", json],
    ["binary", binary],
  ] as const)(
    "in %s are let through, flagged with their distance, or refused, as the tenant's policy says",
    async (_form, ask) => {
      const allowed = await ask(await keyWith({}), odd);
      expect([allowed.status, flagsOf(allowed)]).toEqual([200, null]);
      const flagging = await keyWith({ input: { out_of_distribution: "flag" } });
      const flagged = await ask(flagging, odd);
      expect(flagged.status).toBe(200);
      expect(flagsOf(flagged)).toMatch(/^out-of-distribution;distance=[0-9.]+$/);
      const usual = await ask(flagging, [[21, 1_010]]);
      expect([usual.status, flagsOf(usual)]).toEqual([200, null]);
      const refusing = await keyWith({ input: { out_of_distribution: "refuse" } });
      const refused = await ask(refusing, odd);
      expect([refused.status, (await bodyOf(refused)).error]).toEqual([422, expect.stringMatching(/unlike.*distance/)]);
      expect((await ask(refusing, [[21, 1_010]])).status).toBe(200);
    },
  );

  test("are told from rows like the reference, of which about one in a hundred is beyond the threshold", async () => {
    const key = await keyWith({ input: { out_of_distribution: "flag" } });
    const others = measured(2_200).slice(2_000);
    const answers = await Promise.all(others.map((row) => json(key, [row])));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(answers.filter((answer) => flagsOf(answer) !== null).length).toBeLessThanOrEqual(6);
  });

  test("are found in any row, and in a call that is answered from the cache as well", async () => {
    const key = await keyWith({ input: { out_of_distribution: "flag" } });
    const rows = [...measured(31), ...odd];
    const first = await json(key, rows);
    await until(
      "the answer is kept",
      async () => (await json(key, rows)).headers.get("Cache-Status")?.includes("hit") === true,
    );
    const kept = await json(key, rows);
    expect(flagsOf(kept)).toBe(flagsOf(first));
    expect(flagsOf(kept)).toMatch(/^out-of-distribution/);
  });

  test("that are no numbers at all are as far away as can be", async () => {
    const key = await keyWith({ input: { out_of_distribution: "flag" } });
    const answer = await binary(key, [[Number.NaN, Number.POSITIVE_INFINITY]]);
    expect(flagsOf(answer)).toBe("out-of-distribution;distance=1000000.00");
  });
});

describe("a guard model", () => {
  test("reads what an answer is resumed from as a turn of the caller's: nobody else vouches for it", async () => {
    const key = await keyWith({ guard: { mode: "block" } });
    const refused = await resumed(key, rude);
    expect([refused.status, (await bodyOf(refused)).error.code]).toEqual([422, "guard_refused"]);
    expect((await resumed(key, "fine")).status).toBe(200);
  });

  test("that blocks refuses a prompt with its score before anything is answered, and lets others pass", async () => {
    const key = await keyWith({ guard: { mode: "block" } });
    const refused = await chat(key, rude);
    const body = await bodyOf(refused);
    expect([refused.status, body.error.code]).toEqual([422, "guard_refused"]);
    expect(body.error.message).toMatch(/'guard' gives it 0\.[0-9]{3}/);
    const passed = await chat(key, polite);
    expect([passed.status, flagsOf(passed)]).toEqual([200, null]);
  });

  test("that blocks refuses what is kept as well: no answer of the cache goes past it", async () => {
    const headers = { "Ledge-Cache-Ttl": "600" };
    const name = `tenant-${tenants + 1}`;
    const before = await keyWith({});
    expect((await chat(before, rude, false, headers)).status).toBe(200);
    await until("the answer is kept", async () => {
      const again = await chat(before, rude, false, headers);
      return again.headers.get("Cache-Status")?.includes("hit") === true;
    });
    const usual = unregistered(name);
    const keys = await edge.miniflare.getKVNamespace("KEYS", "ledge-gateway");
    await keys.put(`tenant:${name}`, JSON.stringify({ ...usual, guard: { ...usual.guard, mode: "block" } }));
    await until("the policy is known", async () => (await chat(before, rude, false, headers)).status === 422, 8_000);
  });

  test("that flags says so in a whole answer's header and in the log, and delays no stream", async () => {
    const key = await keyWith({ guard: { mode: "flag" } });
    await chat(key, polite);
    const whole = await chat(key, rude);
    expect(whole.status).toBe(200);
    const streamed = await chat(key, `${rude}!`, true);
    expect(streamed.status).toBe(200);
    expect(await streamed.text()).toContain("[DONE]");
    const lines = () => edge.logs.filter((line) => line.includes('"guard":"guard"'));
    await until("the log says it of both", () => lines().length >= 2);
    expect(lines().join()).not.toContain("stupid");
  });

  test("that blocks and cannot be asked lets nothing pass unchecked", async () => {
    const key = await keyWith({ guard: { mode: "block", model: "no-such-guard" } });
    const refused = await chat(key, polite);
    expect([refused.status, (await bodyOf(refused)).error.code]).toEqual([503, "model_not_ready"]);
  });

  test("is not asked by a tenant that has none", async () => {
    const answer = await chat(await keyWith({}), rude);
    expect([answer.status, flagsOf(answer)]).toEqual([200, null]);
  });
});
