import { blocksAnswer } from "@ledge/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gatewayName } from "../../scripts/edge/run.ts";
import { bodyOf } from "../support/answer-body.ts";
import { adminKey, startEdge, type TestEdge, until } from "../support/ledge.ts";

/** Bad callers at two gateways over the same objects, in real workerd. */

let edge: TestEdge;
let other: string;

beforeAll(async () => {
  edge = await startEdge({ gateways: 2 });
  other = (await edge.miniflare.unsafeGetDirectURL(gatewayName(1))).origin;
});
afterAll(() => edge.close());

const wrongKey = (i: number) => `ledge_${"x".repeat(40)}${String(i).padStart(3, "0")}`;

async function ask(credential: string, address: string, at = edge.url, model = "intent") {
  const answer = await fetch(`${at}/v1/models/${model}`, {
    headers: { Authorization: `Bearer ${credential}`, "CF-Connecting-IP": address },
  });
  const body = answer.status === 200 ? undefined : await bodyOf(answer);
  return { status: answer.status, code: body?.error.code, retryAfterS: Number(answer.headers.get("Retry-After")) };
}

/** Wrong credentials from an address until it is blocked. */
async function blocked(address: string) {
  for (let i = 0; i < 200; i += 20) {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, j) => ask(wrongKey(i + j), address)));
    const last = answers.find(({ status, retryAfterS }) => status === 429 && retryAfterS > 1);
    if (last !== undefined) return last;
  }
  throw new Error("never blocked");
}

async function blocks(query = "") {
  const answer = await edge.get(`/admin/v1/blocks${query}`, adminKey);
  return blocksAnswer.parse(await answer.json()).blocks;
}

describe("an address that tries one wrong key after the other", () => {
  const address = "203.0.113.7";

  test("is answered 401, then 429 caller_blocked with the seconds that the block lasts", async () => {
    expect(await ask(wrongKey(0), address)).toMatchObject({ status: 401, code: "invalid_credentials" });
    const refused = await blocked(address);
    expect(refused.code).toBe("caller_blocked");
    expect(refused.retryAfterS).toBeGreaterThan(30);
    expect(refused.retryAfterS).toBeLessThanOrEqual(60);
  });

  test("is blocked in another isolate too, within seconds", async () => {
    await until(
      "the other isolate knows",
      async () => (await ask(wrongKey(1), address, other)).code === "caller_blocked",
      20_000,
    );
  });

  test("does not shut out a valid key behind it", async () => {
    const { key } = await edge.issueKey();
    expect((await ask(key, address)).status).toBe(200);
    expect((await ask(key, address, other)).status).toBe(200);
  });

  test("stands in the operator's list, in the log and in the metrics, where no label names it", async () => {
    expect(await blocks()).toMatchObject([{ subject: `ip:${address}`, reason: "credentials", times: 1 }]);
    await until("the log says it", () => edge.logs.some((line) => line.includes("an address is blocked")));
    expect(edge.logs.join("\n")).not.toContain(address);
    const metrics = await (await edge.get("/metrics", adminKey)).text();
    expect(metrics).toContain('ledge_blocks_total{of="address"} 1');
    expect(metrics).toContain("ledge_blocks_active 1");
    expect(metrics).not.toContain(address);
  });

  test("is let in again by the operator, everywhere within seconds, and the list says who did it", async () => {
    const lifted = await edge.post("/admin/v1/blocks/lift", adminKey, { of: address });
    expect([lifted.status, await bodyOf(lifted)]).toEqual([200, { lifted: `ip:${address}` }]);
    for (const [i, at] of [edge.url, other].entries()) {
      await until(
        "the isolate knows",
        async () => (await ask(wrongKey(i), address, at)).code === "invalid_credentials",
        20_000,
      );
    }
    expect(await blocks()).toEqual([]);
    expect(await blocks("?all=true")).toMatchObject([{ subject: `ip:${address}`, lifted_by: "operator" }]);
    const again = await edge.post("/admin/v1/blocks/lift", adminKey, { of: address });
    expect([again.status, (await bodyOf(again)).code]).toEqual([404, "block_not_found"]);
  });
});

test("a key that looks for models that it cannot have is blocked, and the others of its address and tenant are not", async () => {
  const address = "198.51.100.9";
  const [bad, good] = [await edge.issueKey(), await edge.issueKey()];
  for (let i = 0; i < 200; i += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, j) => ask(bad.key, address, edge.url, `guess-${i + j}`)));
  }
  expect(await ask(bad.key, address)).toMatchObject({ status: 429, code: "caller_blocked" });
  expect((await ask(good.key, address)).status).toBe(200);
  expect(await blocks()).toMatchObject([{ subject: `key:${bad.id}`, reason: "enumeration" }]);
  const lifted = await edge.post("/admin/v1/blocks/lift", adminKey, { of: bad.id });
  expect(lifted.status).toBe(200);
});

test("an address that guesses the operator's key is blocked, and the operator's own key opens from there all the same", async () => {
  const headers = { "CF-Connecting-IP": "198.51.100.77" };
  const guess = (credential: string) =>
    fetch(`${edge.url}/admin/v1/models`, { headers: { ...headers, Authorization: `Bearer ${credential}` } });
  let code: string | undefined;
  for (let i = 0; i < 10 && code !== "caller_blocked"; i++) {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, j) => guess(`guess-${i}-${j}`)));
    code = (await bodyOf(answers.at(-1) as Response)).code;
  }
  expect(code).toBe("caller_blocked");
  expect((await guess(adminKey)).status).toBe(200);
});
