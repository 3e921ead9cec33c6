import { afterAll, beforeAll, expect, test } from "vitest";
import { type ChatOrigin, startChatOrigin } from "../support/chat-origin.ts";
import { startEdge, type TestEdge } from "../support/ledge.ts";

/** Callers of several continents, as Cloudflare says where they are, and an origin in each of two regions. */

let [europe, america]: ChatOrigin[] = [];
let edge: TestEdge;
let key: string;

beforeAll(async () => {
  [europe, america] = await Promise.all([startChatOrigin(), startChatOrigin()]);
  for (const origin of [europe, america]) origin.onCall = (call) => call.whole("well");
  const pools = [
    { region: "eu", continents: ["EU", "AF"], origins: [{ name: "eu-1", url: europe.url }] },
    { region: "us", continents: ["NA", "SA"], origins: [{ name: "us-1", url: america.url }] },
  ];
  edge = await startEdge({ dispatch: { ORIGIN_URL: "", ORIGINS: JSON.stringify(pools) } });
  key = (await edge.issueKey()).key;
});
afterAll(async () => {
  await edge.close();
  await Promise.all([europe?.close(), america?.close()]);
});

async function originFor(continent: string | undefined): Promise<string | null> {
  const answer = await edge.miniflare.dispatchFetch(`${edge.url}/v1/chat/completions`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify({ model: "tiny-chat", messages: [{ role: "user", content: "hello" }] }),
    cf: { continent },
  } as never);
  expect(answer.status).toBe(200);
  await answer.text();
  return answer.headers.get("Ledge-Origin");
}

test.each([
  ["EU", "eu-1; region=eu; attempts=1"],
  ["AF", "eu-1; region=eu; attempts=1"],
  ["NA", "us-1; region=us; attempts=1"],
  ["SA", "us-1; region=us; attempts=1"],
])("a caller in %s is answered by %s", async (continent, by) => {
  expect(await originFor(continent)).toBe(by);
});

test.each([["OC"], [undefined]])(
  "a caller in %s, which no region names, is answered by the first region",
  async (where) => {
    expect(await originFor(where)).toBe("eu-1; region=eu; attempts=1");
  },
);

test("a caller whose region has no origin left is answered by the other one", async () => {
  if (america !== undefined) america.onCall = (call) => call.fault(503, "overloaded", 60);
  expect(await originFor("NA")).toBe("eu-1; region=eu; attempts=2");
  expect(await originFor("NA")).toBe("eu-1; region=eu; attempts=1");
});
