import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bodyOf } from "../support/answer-body.ts";
import { startEdge, type TestEdge, until } from "../support/ledge.ts";

let edge: TestEdge;
let key: string;

beforeAll(async () => {
  edge = await startEdge();
  key = (await edge.issueKey()).key;
});
afterAll(() => edge.close());

const transfer = { model: "intent", input: "transfer fifty dollars from checking to savings" };

/** Each test asks something of its own, so that no test reads another's answer. */
function ask(text: string, headers: Record<string, string> = {}, who = key) {
  return edge.post("/v1/predict", who, { model: "intent", input: text }, headers);
}

describe("a classification", () => {
  test("is answered by the model inside the inference Worker, with the origin nowhere to be found", async () => {
    const answer = await edge.post("/v1/predict", key, transfer);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("Ledge-Tier")).toBe("edge");
    expect(answer.headers.get("Ledge-Model")).toBe("intent@1");
    expect(answer.headers.get("Cache-Status")).toMatch(/^Ledge; fwd=miss; stored; key="[0-9a-f]{32}"$/);
    const body = await bodyOf(answer);
    expect(body).toMatchObject({ model: "intent", version: "1", tier: "edge" });
    expect(body.id).toBe(answer.headers.get("Ledge-Request-Id"));
    expect(body.output.label).toBe("transfer");
    expect(body.output.top).toHaveLength(5);
    expect(body.usage.input_tokens).toBeGreaterThan(5);
  });

  test("given again is answered from the cache, with the same output and tier", async () => {
    const first = await bodyOf(await ask("is it safe to visit canada"));
    const again = await ask("is it safe to visit canada");
    expect(again.headers.get("Cache-Status")).toMatch(/^Ledge; hit; ttl=\d+; key="[0-9a-f]{32}"; detail=memory$/);
    expect(again.headers.get("Ledge-Tier")).toBe("edge");
    const { id, ...rest } = await bodyOf(again);
    expect({ ...rest, id: first.id }).toEqual(first);
    expect(id).not.toBe(first.id);
  });

  test("of several texts answers each in order, as each alone", async () => {
    const texts = ["what is the weather", "transfer ten dollars to savings", "tell me a joke"];
    const together = await bodyOf(await edge.post("/v1/predict", key, { model: "intent@1", input: texts }));
    expect(together.output).toHaveLength(3);
    for (const [row, text] of texts.entries()) {
      const alone = await bodyOf(await ask(text));
      expect(together.output[row]).toEqual(alone.output);
    }
  });

  test("returns as many labels as top_k asks for, best first", async () => {
    const answer = await edge.post("/v1/predict", key, { ...transfer, options: { top_k: 3 } });
    const { top } = (await bodyOf(answer)).output;
    expect(top).toHaveLength(3);
    expect(top.map((one: { score: number }) => one.score)).toEqual(
      top.map((one: { score: number }) => one.score).sort((a: number, b: number) => b - a),
    );
  });

  test("names its deadline: one that has passed is a 504, not a hang", async () => {
    const standIn = `import { WorkerEntrypoint } from "cloudflare:workers";
      export default class extends WorkerEntrypoint {
        predict() { return new Promise(() => setTimeout(() => {}, 60000)); }
      }`;
    const stuck = await startEdge({ standIns: { inference: standIn } });
    const { key: theirs } = await stuck.issueKey();
    const startedMs = Date.now();
    const answer = await stuck.post("/v1/predict", theirs, transfer, { "Ledge-Timeout-Ms": "200" });
    expect(answer.status).toBe(504);
    expect((await bodyOf(answer)).code).toBe("deadline_exceeded");
    expect(Date.now() - startedMs).toBeLessThan(5_000);
    await stuck.close();
  });
});

describe("the answer cache", () => {
  test("never gives one tenant's answer to another", async () => {
    await ask("book a flight to paris");
    const other = await edge.issueKey({ tenant: "other" });
    const theirs = await ask("book a flight to paris", {}, other.key);
    expect(theirs.headers.get("Cache-Status")).toMatch(/^Ledge; fwd=miss; stored; key="[0-9a-f]{32}"$/);
  });

  test("is shared by the keys of one tenant", async () => {
    await ask("cancel my reservation");
    const colleague = await edge.issueKey();
    expect((await ask("cancel my reservation", {}, colleague.key)).headers.get("Cache-Status")).toContain("hit");
  });

  test("tells apart everything that changes the answer", async () => {
    const asked = { model: "intent", input: "set an alarm", options: { top_k: 2 } };
    await edge.post("/v1/predict", key, asked);
    for (const changed of [
      { ...asked, input: "set an alarm " },
      { ...asked, input: ["set an alarm", "set an alarm"] },
      { ...asked, options: { top_k: 3 } },
    ]) {
      const answer = await edge.post("/v1/predict", key, changed);
      expect(answer.headers.get("Cache-Status"), JSON.stringify(changed)).toMatch(
        /^Ledge; fwd=miss; stored; key="[0-9a-f]{32}"$/,
      );
    }
    const reordered = `{ "options": {"top_k": 2.0}, "input": "set an alarm", "model": "intent@1" }`;
    expect((await edge.post("/v1/predict", key, reordered)).headers.get("Cache-Status")).toContain("hit");
  });

  test("is not read with Cache-Control: no-cache, but written", async () => {
    await ask("how old are you");
    const fresh = await ask("how old are you", { "Cache-Control": "no-cache" });
    expect(fresh.headers.get("Cache-Status")).toMatch(/^Ledge; fwd=request; stored; key="[0-9a-f]{32}"$/);
    const first = await ask("how tall are you", { "Cache-Control": "no-cache" });
    expect(first.status).toBe(200);
    expect((await ask("how tall are you")).headers.get("Cache-Status")).toContain("hit");
  });

  test("neither reads nor keeps with Cache-Control: no-store", async () => {
    await ask("what is my balance");
    const fresh = await ask("what is my balance", { "Cache-Control": "no-store" });
    expect(fresh.headers.get("Cache-Status")).toBe("Ledge; fwd=bypass");
    await ask("what is my credit limit", { "Cache-Control": "no-store" });
    expect((await ask("what is my credit limit")).headers.get("Cache-Status")).toMatch(
      /^Ledge; fwd=miss; stored; key="[0-9a-f]{32}"$/,
    );
  });

  test("survives a restart of the edge: KV answers what memory forgot", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "ledge-cache-"));
    const before = await startEdge({ dataDir });
    const { key: kept } = await before.issueKey();
    await before.post("/v1/predict", kept, transfer);
    const entries = await before.miniflare.getKVNamespace("ANSWERS", "ledge-gateway");
    await until("the answer is in KV", async () => (await entries.list()).keys.length === 1);
    await before.close();
    const after = await startEdge({ dataDir });
    const answer = await after.post("/v1/predict", kept, transfer);
    expect(answer.headers.get("Cache-Status")).toMatch(/^Ledge; hit; ttl=\d+; key="[0-9a-f]{32}"; detail=kv$/);
    await after.close();
    rmSync(dataDir, { recursive: true });
  });

  test("says what it did on every answer, refusals and pages that are never kept included", async () => {
    for (const [path, who] of [
      ["/healthz", undefined],
      ["/v1/models", key],
      ["/nothing", undefined],
      ["/v1/models", undefined],
    ] as const) {
      expect((await edge.get(path, who)).headers.get("Cache-Status"), path).toBe("Ledge; fwd=bypass");
    }
  });
});

test("no key, no input and no answer is ever in the log, and every request is", async () => {
  const secretText = "my very private question about money";
  const answer = await ask(secretText);
  const id = answer.headers.get("Ledge-Request-Id") ?? "";
  await until("the line is written", () => edge.logs.some((line) => line.includes(id)));
  const all = edge.logs.join("\n");
  expect(all).not.toContain(key);
  expect(all).not.toContain(secretText);
  expect(all).not.toContain((await bodyOf(answer)).output.label);
});
