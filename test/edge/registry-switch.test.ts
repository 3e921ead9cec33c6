import type { AuditAnswer } from "@ledge/contract";
import { afterAll, beforeAll, expect, test } from "vitest";
import { gatewayName } from "../../scripts/edge/run.ts";
import { bodyOf } from "../support/answer-body.ts";
import { startEdge, type TestEdge, until } from "../support/ledge.ts";
import { admin, echoInference, registerIntent } from "../support/registry.ts";

/** Versions change over while calls come, at two gateways that share one registry as two places of an edge do. */

const requestsPerSecond = 200;
const callsInAll = 2_000;
const switches = 100;
/** Calls unanswered at once, beyond which a slow machine would only pile them up. */
const waitingMax = 64;

interface Seen {
  readonly status: number;
  /** What the header says answered, and what the tier says it was asked for. */
  readonly model: string | null;
  readonly label: string;
}

let edge: TestEdge;
let gateways: ((input: string) => Promise<Seen>)[];

beforeAll(async () => {
  edge = await startEdge({ standIns: { inference: echoInference }, gateways: 2, gateway: { LOG: "failures" } });
  const { key } = await edge.issueKey();
  const other = await edge.miniflare.getWorker(gatewayName(1));
  const init = (input: string) => ({
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json", "Cache-Control": "no-store" },
    body: JSON.stringify({ model: "words", input }),
  });
  gateways = [
    async (input) => seen(await fetch(`${edge.url}/v1/predict`, init(input))),
    async (input) => seen((await other.fetch(`${edge.url}/v1/predict`, init(input))) as unknown as Response),
  ];
  await registerIntent(edge, "one", "words");
  await registerIntent(edge, "two", "words");
  await allAnswer("words@1");
});
afterAll(() => edge.close());

async function seen(answer: Response): Promise<Seen> {
  const { output } = await bodyOf(answer);
  return { status: answer.status, model: answer.headers.get("Ledge-Model"), label: output?.label };
}

/** Within five seconds every gateway answers the bare name with this version. */
function allAnswer(version: string): Promise<void> {
  return until(`both gateways answer with ${version}`, async () => {
    const answers = await Promise.all(gateways.map((ask) => ask(`which? ${Math.random()}`)));
    return answers.every(({ model }) => model === version);
  });
}

/**
 * 2,000 calls by the clock, 200 a second, whether or not the ones before were answered; on a machine that cannot keep up, as
 * fast as it can. `onCall` is told how many were started.
 */
async function callAtRate(onCall: (started: number) => void): Promise<Seen[]> {
  const calls: Promise<Seen>[] = [];
  const startedMs = Date.now();
  let waiting = 0;
  while (calls.length < callsInAll) {
    const due = Math.min(callsInAll, ((Date.now() - startedMs) / 1000) * requestsPerSecond);
    while (calls.length < due && waiting < waitingMax) {
      const ask = gateways[calls.length % gateways.length];
      if (ask === undefined) break;
      waiting++;
      calls.push(ask(`call ${calls.length}`).finally(() => waiting--));
      onCall(calls.length);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return await Promise.all(calls);
}

test("versions switched 100 times under 200 requests/s lose none, and every gateway ends at the right one", async () => {
  const changes: Promise<{ readonly status: number }>[] = [];
  const answers = await callAtRate((started) => {
    if (started % (callsInAll / switches) !== 0) return;
    const version = changes.length % 2 === 0 ? "2" : "1";
    changes.push(admin(edge, "PUT", "/models/words/stable", { version }));
  });
  expect((await Promise.all(changes)).map(({ status }) => status)).toEqual(Array(switches).fill(200));
  expect(answers).toHaveLength(callsInAll);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(new Set(answers.map(({ model }) => model))).toEqual(new Set(["words@1", "words@2"]));
  expect(answers.filter(({ model, label }) => model !== label)).toEqual([]);
  const audit = (await admin(edge, "GET", "/audit?model=words&limit=1000")).body as AuditAnswer;
  expect(audit.rows.filter(({ kind }) => kind === "set-stable").length).toBeGreaterThan(switches / 2);
  await admin(edge, "PUT", "/models/words/stable", { version: "2" });
  await allAnswer("words@2");
}, 240_000);

test("a rollback reaches new requests at every gateway within five seconds", async () => {
  await admin(edge, "PUT", "/models/words/stable", { version: "2" });
  await allAnswer("words@2");
  expect((await admin(edge, "POST", "/models/words/rollback")).status).toBe(200);
  await allAnswer("words@1");
});
