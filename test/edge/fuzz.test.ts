import { errors, isErrorCode } from "@ledge/contract";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunningOrigin } from "../../scripts/local/origin.ts";
import { startEdge, startFakeOrigin, type TestEdge } from "../support/ledge.ts";

/** Nothing a caller sends makes a 500 or hangs: 10,000 bodies, from nearly right to noise, on every path that takes one. */

const bodiesInAll = 10_000;
const bodiesAtOnce = 20;
const answerMsMax = 10_000;

let origin: RunningOrigin;
let edge: TestEdge;
let key: string;

beforeAll(async () => {
  origin = await startFakeOrigin();
  edge = await startEdge({
    originUrl: origin.url,
    gateway: { LOG: "failures", BODY_BYTES_MAX: "100000", ABUSE: "off" },
  });
  key = (await edge.issueKey({ requests_per_minute: 10_000_000 })).key;
});
afterAll(async () => {
  await edge.close();
  await origin.close();
});

const paths = ["/v1/predict", "/v1/chat/completions", "/v2/models/intent/infer", "/v2/models/tiny-chat/infer"] as const;

/** Bodies that are right: what the others are made from by small changes. */
const right: readonly unknown[] = [
  { model: "intent", input: "hello" },
  { model: "intent@1", input: ["a", "b"], options: { top_k: 2 } },
  { model: "tiny-chat", messages: [{ role: "user", content: "hi" }], temperature: 0, stream: true },
  {
    model: "tiny-chat",
    messages: [{ role: "system", content: [{ type: "text", text: "x" }] }],
    max_tokens: 3,
    stop: ["a"],
  },
  { inputs: [{ name: "text", datatype: "BYTES", shape: [1], data: ["x"] }], outputs: [{ name: "label" }] },
];

const odd = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(
    null,
    -1,
    0,
    1e308,
    -0,
    "",
    "\u0000",
    "\ud800",
    [],
    {},
    [[]],
    "__proto__",
    2 ** 53,
    "x".repeat(9_000),
  ),
);

/** A right body with one member, anywhere in it, replaced, added or taken away. */
const nearlyRight = fc
  .tuple(fc.constantFrom(...right), fc.nat(), fc.constantFrom("replace", "remove", "add"), fc.string(), odd)
  .map(([body, at, how, name, value]) => {
    const copy: unknown = structuredClone(body);
    const places: [Record<string, unknown>, string][] = [];
    const visit = (node: unknown) => {
      if (typeof node !== "object" || node === null) return;
      const members = node as Record<string, unknown>;
      for (const member of Object.keys(members)) {
        places.push([members, member]);
        visit(members[member]);
      }
    };
    visit(copy);
    const [holder, member] = places[at % places.length] ?? [{}, ""];
    if (how === "remove") delete holder[member];
    else if (how === "replace") holder[member] = value;
    else if (Array.isArray(holder)) holder.push(value);
    // Defined, not assigned: names such as "__proto__" are members of a body like any other.
    else Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true });
    return JSON.stringify(copy);
  });

const cut = fc
  .tuple(fc.constantFrom(...right), fc.nat())
  .map(([body, at]) => JSON.stringify(body).slice(0, at % JSON.stringify(body).length));
const nested = fc
  .tuple(fc.integer({ min: 1, max: 10_000 }), fc.constantFrom("[", '{"a":', '[{"model":'))
  .map(([depth, open]) => open.repeat(depth));
const bytes = fc.uint8Array({ maxLength: 300 });
const body = fc.oneof(
  { weight: 6, arbitrary: nearlyRight },
  { weight: 2, arbitrary: fc.json() },
  { weight: 1, arbitrary: cut },
  { weight: 1, arbitrary: bytes },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 200 }) },
  { weight: 1, arbitrary: nested },
);
const call = fc.record({
  path: fc.constantFrom(...paths),
  body,
  type: fc.constantFrom("application/json", "application/json", "application/json", "text/plain", ""),
});

async function send({ path, body, type }: { path: string; body: string | Uint8Array; type: string }) {
  const answer = await fetch(edge.url + path, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": type },
    body: typeof body === "string" ? body : new Uint8Array(body),
    signal: AbortSignal.timeout(answerMsMax),
  });
  return { status: answer.status, text: await answer.text() };
}

function codeOf(text: string): unknown {
  const { error, code } = JSON.parse(text);
  return typeof error === "string" ? error.split(":", 1)[0] : (error?.code ?? code);
}

test("10,000 generated bodies get an answer or a 4xx with a code of the table, never a 500 and never silence", async () => {
  const seen = new Map<number, number>();
  const oneBatch = fc.asyncProperty(
    fc.array(call, { minLength: bodiesAtOnce, maxLength: bodiesAtOnce }),
    async (calls) => {
      const answers = await Promise.all(calls.map(send));
      for (const [i, { status, text }] of answers.entries()) {
        seen.set(status, (seen.get(status) ?? 0) + 1);
        const what = `${status} ${text.slice(0, 200)} to ${JSON.stringify(calls[i]).slice(0, 300)}`;
        if (status === 200) continue;
        expect(status, what).toBeGreaterThanOrEqual(400);
        expect(status, what).toBeLessThan(500);
        const code = codeOf(text);
        if (!isErrorCode(code)) throw new Error(`no code of the table: ${what}`);
        expect(errors[code].status, what).toBe(status);
      }
    },
  );
  await fc.assert(oneBatch, { numRuns: bodiesInAll / bodiesAtOnce });
  expect([...seen.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(bodiesInAll);
  // The bodies must reach past the first check: some are right, and several kinds of refusal occur.
  expect(seen.get(200)).toBeGreaterThan(100);
  expect(seen.size).toBeGreaterThanOrEqual(4);
  const alive = await edge.post("/v1/predict", key, { model: "intent", input: "still there?" });
  expect(alive.status).toBe(200);
}, 300_000);
