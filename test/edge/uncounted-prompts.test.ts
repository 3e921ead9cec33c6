import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bodyOf } from "../support/answer-body.ts";
import { inferenceStandIn } from "../support/inference-stand-in.ts";
import { startEdge, type TestEdge } from "../support/ledge.ts";
import { registerIntent } from "../support/registry.ts";
import { storeKey } from "../support/stored-keys.ts";
import { issueLimited, publishTenant, publishTerms } from "../support/tenancy.ts";

/** When prompts are not counted beforehand: an inference Worker that says how often it was asked to, and does it badly. */

const countless = inferenceStandIn(`
    static counts = 0;
    async count({ prompt }) {
      this.constructor.counts++;
      const [text] = prompt.texts;
      if (text.includes("hang")) await new Promise(() => {});
      if (text.includes("throw")) throw new Error("as told");
      if (text.includes("fault")) return { ok: false, fault: { code: "model_not_ready", cause: "as told" } };
      return { ok: true, value: 7 };
    }
    predict({ inputs }) {
      const predictions = inputs.map(() => ({ label: String(this.constructor.counts), score: 1, top: [] }));
      return { ok: true, value: { predictions, inputTokens: 7, timings } };
    }`);

let edge: TestEdge;

beforeAll(async () => {
  edge = await startEdge({ standIns: { inference: countless } });
  await publishTerms(edge, {
    models: { estimated: { tokens_per_byte_max: 0.5 }, priced: { price: { per_million_input_tokens: 1_000_000 } } },
    price: { per_million_output_tokens: 5_000_000 },
  });
  await registerIntent(edge, "of the test", "estimated");
  await registerIntent(edge, "of the test", "priced");
});
afterAll(() => edge.close());

const plenty = 1_000_000;

/** What was reserved of a fresh limit, and how often it was counted before and for this call. */
async function ask(key: string, input: string, model = "intent") {
  const body = JSON.stringify({ model, input });
  const answer = await edge.post("/v1/predict", key, body, { "Cache-Control": "no-store" });
  const left = /"input-tokens";r=(\d+)/.exec(answer.headers.get("RateLimit") ?? "")?.[1];
  const { output, code } = await bodyOf(answer);
  return {
    status: answer.status,
    code,
    reserved: plenty - Number(left),
    bytes: body.length,
    counts: Number(output?.label),
  };
}

const limited = async (limits: object = { input_tokens_per_minute: plenty }) => (await issueLimited(edge, limits)).key;
/** How often anything was counted so far. */
const countsSoFar = async () => (await ask(await limited({}), "hello")).counts;

describe("a call asks nobody for the size of its prompt", () => {
  test.each([
    ["without limits", {}],
    [
      "with limits of requests, of calls in flight and of output",
      { requests_per_minute: 1_000, in_flight: 10, output_tokens_per_minute: 1_000 },
    ],
  ])("%s", async (_what, limits) => {
    const before = await countsSoFar();
    const asked = await ask(await limited(limits), "hello");
    expect([asked.status, asked.counts]).toEqual([200, before]);
  });

  test("with quotas of calls, or of money where input has no price", async () => {
    await publishTenant(edge, "frugal", { quotas: { calls_per_day: 1_000, microcents_per_day: 1_000_000 } });
    const { key } = await storeKey(edge, { tenant: "frugal" });
    const before = await countsSoFar();
    expect((await ask(key, "hello")).counts).toBe(before);
  });

  test("where its model's terms say how many tokens a byte becomes: that many are reserved", async () => {
    const before = await countsSoFar();
    const { reserved, bytes, counts } = await ask(await limited(), "hello", "estimated");
    expect([reserved, counts]).toEqual([Math.ceil(bytes / 2), before]);
  });

  test("when its body is larger than a limit allows, which refuses it", async () => {
    const before = await countsSoFar();
    const key = await limited({ input_bytes: 40, input_tokens_per_minute: plenty });
    expect(await ask(key, "a".repeat(100))).toMatchObject({ status: 413, code: "input_too_large" });
    expect(await countsSoFar()).toBe(before);
  });

  test("when a key that may not ask the model asks", async () => {
    const before = await countsSoFar();
    const scopes = [{ actions: ["chat" as const], models: ["*"] }];
    const { key } = await storeKey(edge, { scopes, limits: { input_tokens_per_minute: plenty } });
    expect((await ask(key, "hello")).status).toBe(403);
    expect(await countsSoFar()).toBe(before);
  });
});

describe("a prompt that a limit counts", () => {
  test("is asked for once, and reserved as it is counted", async () => {
    const before = await countsSoFar();
    expect(await ask(await limited(), "hello")).toMatchObject({ status: 200, reserved: 7, counts: before + 1 });
  });

  test.each([
    ["of tokens", { tokens_per_month: 1_000_000 }],
    ["of money, of a model whose input has a price", { microcents_per_month: 1_000_000 }],
  ])("is asked for where a quota %s counts it", async (what, quotas) => {
    const tenant = `quota-${what.length}`;
    await publishTenant(edge, tenant, { quotas });
    const { key } = await storeKey(edge, { tenant });
    const before = await countsSoFar();
    expect(await ask(key, "hello", "priced")).toMatchObject({ status: 200, counts: before + 1 });
  });

  test.each(["fault", "throw", "hang"])(
    "is reserved by its bytes when counting it ends in a %s, and answered all the same",
    async (how) => {
      const { status, reserved, bytes } = await ask(await limited(), how);
      expect([status, reserved]).toEqual([200, bytes]);
    },
  );

  test("that is refused costs nothing, and is refused as its bytes would be when nobody counts", async () => {
    const key = await limited({ input_tokens_per_minute: 7 });
    expect(await ask(key, "throw it away")).toMatchObject({ status: 413, code: "input_too_large" });
    expect((await ask(key, "hello")).status).toBe(200);
  });
});
