import { afterAll, beforeAll, expect, test } from "vitest";
import { inferenceStandIn } from "../support/inference-stand-in.ts";
import { startEdge, type TestEdge } from "../support/ledge.ts";
import { registerTwo, start } from "../support/rollouts.ts";
import { issueLimited } from "../support/tenancy.ts";

/** Which version's tokenizer counts a prompt, while a rollout deals callers to two. */

/** Its versions make 10 and 20 tokens of any text. */
const twoTokenizers = inferenceStandIn(`
    count({ version }) { return { ok: true, value: 10 * Number(version) }; }
    predict({ version, inputs }) {
      const predictions = inputs.map(() => ({ label: version, score: 1, top: [] }));
      return { ok: true, value: { predictions, inputTokens: 10 * Number(version), timings } };
    }`);

let edge: TestEdge;

beforeAll(async () => {
  edge = await startEdge({ standIns: { inference: twoTokenizers } });
  await registerTwo(edge, "dealt");
  await start(edge, "dealt", { kind: "canary", version: "2", steps: [50, 100], calls_min: 1_000_000 });
});
afterAll(() => edge.close());

const plenty = 1_000_000;

test("a prompt is counted by the version that answers it, whichever a rollout deals its caller to", async () => {
  const answered = new Set<string>();
  for (let who = 0; who < 24; who++) {
    // A fresh limit each time, of which nothing was taken before.
    const { key } = await issueLimited(edge, { input_tokens_per_minute: plenty });
    const headers = { "Ledge-Sticky-Key": `user-${who}`, "Cache-Control": "no-store" };
    const answer = await edge.post("/v1/predict", key, { model: "dealt", input: "hello" }, headers);
    const { version } = (await answer.json()) as { readonly version: string };
    const left = /"input-tokens";r=(\d+)/.exec(answer.headers.get("RateLimit") ?? "")?.[1];
    expect([version, plenty - Number(left)]).toEqual([version, 10 * Number(version)]);
    answered.add(version);
  }
  expect(answered).toEqual(new Set(["1", "2"]));
});
