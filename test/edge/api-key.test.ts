import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bodyOf } from "../support/answer-body.ts";
import { adminKey, answerTo as answerAt, startEdge, type TestEdge } from "../support/ledge.ts";

let edge: TestEdge;

beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.close());

const answerTo = (credential: string) => answerAt(edge, credential);
const invalid = { status: 401, code: "invalid_credentials" };

describe("an API key", () => {
  test("that was issued is accepted, and only its hash is stored", async () => {
    const { key, id } = await edge.issueKey();
    expect(await answerTo(key)).toEqual({ status: 200 });
    const store = await edge.miniflare.getKVNamespace("KEYS", "ledge-gateway");
    const names = (await store.list()).keys.map(({ name }) => name);
    expect(names).toContain(`key:${id}`);
    for (const name of names) {
      const stored = `${name} ${await store.get(name)}`;
      expect(stored).not.toContain(key);
      expect(stored).not.toContain(key.slice("ledge_".length));
    }
  });

  test("that was never issued, is cut short or differs in its last character is refused", async () => {
    const { key } = await edge.issueKey();
    expect(await answerTo(key)).toEqual({ status: 200 });
    const changed = key.slice(0, -1) + (key.endsWith("A") ? "B" : "A");
    for (const wrong of [
      `ledge_${"x".repeat(43)}`,
      key.slice(0, -1),
      `${key}x`,
      changed,
      "ledge_",
      "x".repeat(9_000),
    ]) {
      expect(await answerTo(wrong), wrong.slice(0, 60)).toEqual(invalid);
    }
  });

  test("that is missing is asked for in words, with WWW-Authenticate", async () => {
    const answer = await edge.get("/v1/models");
    expect(answer.status).toBe(401);
    expect(answer.headers.get("WWW-Authenticate")).toBe('Bearer realm="ledge"');
    expect((await bodyOf(answer)).error.message).toContain("Authorization: Bearer");
  });

  test("that is revoked is refused within five seconds", async () => {
    const { key, id } = await edge.issueKey();
    expect(await answerTo(key)).toEqual({ status: 200 });
    const revoked = await fetch(`${edge.url}/admin/v1/keys/${id}`, {
      method: "DELETE",
      headers: { Authorization: `Bearer ${adminKey}` },
    });
    expect(revoked.status).toBe(200);
    const endMs = Date.now() + 5_500;
    let last = await answerTo(key);
    while (last.status === 200 && Date.now() < endMs) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      last = await answerTo(key);
    }
    expect(last).toEqual(invalid);
  }, 10_000);

  test("of a caller opens no operator's door, and the operator's opens no caller's", async () => {
    const { key } = await edge.issueKey();
    const asked = { tenant: "x", name: "x" };
    expect((await edge.post("/admin/v1/keys", key, asked)).status).toBe(401);
    expect((await edge.post("/admin/v1/keys", "", asked)).status).toBe(401);
    expect(await answerTo(adminKey)).toEqual(invalid);
  });

  test("of an impossible kind is not issued, and every fault is named at once", async () => {
    const answer = await edge.post("/admin/v1/keys", adminKey, { tenant: "a b", requests_per_minute: 0, extra: 1 });
    expect(answer.status).toBe(400);
    const paths = (await bodyOf(answer)).issues.map(({ path }: { path: string }) => path);
    expect(paths).toEqual(expect.arrayContaining(["tenant", "name", "requests_per_minute", "(body)"]));
  });
});
