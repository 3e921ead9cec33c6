import { afterAll, beforeAll, expect, test } from "vitest";
import { bodyOf } from "../support/answer-body.ts";
import { adminKey, originSecret, startEdge, startOrigin, type TestEdge } from "../support/ledge.ts";
import { registerIntent } from "../support/registry.ts";

let edge: TestEdge;
let key: string;

beforeAll(async () => {
  edge = await startEdge();
  key = (await edge.issueKey()).key;
  await registerIntent(edge, "a second version");
});
afterAll(() => edge.close());

const infer = "/v2/models/intent/infer";
const body = (text: string) => ({
  inputs: [{ name: "text", datatype: "BYTES", shape: [1], data: [text] }],
  outputs: [{ name: "label", parameters: { binary_data: false } }],
});
const noStore = { "Cache-Control": "no-store" };

test("calls that arrive together share runs of the graph, and the statistics count every one of them", async () => {
  const countsOf = async () => {
    const answer = await edge.get("/v2/models/intent/versions/1/stats", key);
    const { model_stats: [stats] = [] } = (await answer.json()) as {
      model_stats?: {
        inference_count: number;
        execution_count: number;
        inference_stats: { success: { count: number } };
      }[];
    };
    return [
      stats?.inference_stats.success.count ?? 0,
      stats?.inference_count ?? 0,
      stats?.execution_count ?? 0,
    ] as const;
  };
  const before = await countsOf();
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, i) => edge.post(infer, key, body(`call number ${i}`), noStore)),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  await Promise.all(answers.map((answer) => answer.text()));
  const endMs = Date.now() + 10_000;
  let after = await countsOf();
  while (after[0] < before[0] + 200 && Date.now() < endMs) after = await countsOf();
  expect([after[0] - before[0], after[1] - before[1]]).toEqual([200, 200]);
  expect(after[2] - before[2]).toBeLessThan(200);
  expect(after[2] - before[2]).toBeGreaterThan(0);
});

test("while another version unloads and loads again and again under load, no call is lost and each has its own answer", async () => {
  const asked = [
    ["what is the weather", "weather"],
    ["tell me a joke", "tell_joke"],
    ["book me a flight to paris", "book_flight"],
  ] as const;
  let running = true;
  const switching = (async () => {
    let times = 0;
    for (; running || times < 5; times++) {
      for (const state of ["unload", "load"]) {
        const answer = await edge.post(`/admin/v1/models/intent/versions/2/${state}`, adminKey, "{}");
        expect([state, answer.status]).toEqual([state, 200]);
        await answer.text();
      }
    }
    return times;
  })();
  const caller = async () => {
    const answers: unknown[] = [];
    for (let i = 0; i < 40; i++) {
      const [text] = asked[i % asked.length] ?? asked[0];
      const answer = await edge.post(infer, key, body(text), noStore);
      answers.push([answer.status, (await bodyOf(answer)).outputs[0].data[0]]);
    }
    return answers;
  };
  const all = await Promise.all(Array.from({ length: 16 }, caller));
  running = false;
  expect(await switching).toBeGreaterThanOrEqual(5);
  const wanted = Array.from({ length: 40 }, (_, i) => [200, asked[i % asked.length]?.[1]]);
  for (const answers of all) expect(answers).toEqual(wanted);
});

test("with the edge's engine dead every call is answered by the origin, and with the origin dead as well each gets a clear 5xx", async () => {
  const dead = `import { WorkerEntrypoint } from "cloudflare:workers";
    export default class extends WorkerEntrypoint {
      predict() { throw new Error("dead"); }
      infer() { throw new Error("dead"); }
      load() { throw new Error("dead"); }
      unload() { throw new Error("dead"); }
      warm() { throw new Error("dead"); }
    }`;
  const origin = await startOrigin({ MODELS: "intent", ORIGIN_SECRET: originSecret });
  const lame = await startEdge({ originUrl: origin.url, standIns: { inference: dead } });
  try {
    const callers = await lame.issueKey();
    const ask = () => lame.post(infer, callers.key, body("what is the weather"), noStore);
    const answers = await Promise.all(Array.from({ length: 20 }, ask));
    for (const answer of answers) {
      expect([answer.status, answer.headers.get("ledge-tier")]).toEqual([200, "origin"]);
      expect((await bodyOf(answer)).outputs[0].data).toEqual(["weather"]);
    }
    await origin.kill();
    const refused = await ask();
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: "origin_unavailable" });
    expect(refused.headers.get("retry-after")).not.toBeNull();
  } finally {
    await lame.close();
    await origin.close();
  }
});
