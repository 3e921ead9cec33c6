import { parseArgs } from "node:util";
import { startChatOrigin } from "../../test/support/chat-origin.ts";
import { pathOf, rows, type Things, type Try } from "../../test/support/isolation.ts";
import { startEdge, type TestEdge } from "../../test/support/ledge.ts";
import { echoInference } from "../../test/support/registry.ts";
import { nobodys, twoTenants } from "../../test/support/two-tenants.ts";
import { buildWorkers } from "../edge/build.ts";
import { separationOf } from "./separation.ts";

/** Whether the time of an answer tells that an id is another tenant's, or nobody's. */

const usage = `Usage: npm run measure:isolation -- [--pairs N] [--only TEXT] [--help]

Asks routes with another tenant's ids and with ids of nobody's, in random turns, and prints how far their times lie apart: the
share is how often a foreign id takes longer than an unknown one. Default 300 pairs. --only takes routes
that contain the text.`;

const { values } = parseArgs({
  options: {
    pairs: { type: "string", default: "300" },
    only: { type: "string", default: "" },
    help: { type: "boolean", default: false },
  },
});

/** That change nothing, however often they are asked. */
const operations = [
  "GET /v1/keys/{id}",
  "DELETE /v1/keys/{id}",
  "POST /v1/keys/{id}/rotate",
  "POST /v1/keys",
  "GET /v1/usage",
  "POST /v1/chat/completions",
  "POST /v1/predict",
] as const;

if (values.help) console.log(usage);
else await measure(Number(values.pairs), values.only);

async function measure(pairs: number, only: string): Promise<void> {
  await buildWorkers();
  const origin = await startChatOrigin();
  origin.onCall = (call) => call.whole("an answer");
  const edge = await startEdge({
    originUrl: origin.url,
    // Who asks for so much that is not there would be kept out after a while.
    gateway: { ABUSE: "off", LOG: "failures", REQUESTS_PER_MINUTE_DEFAULT: "10000000" },
    standIns: { inference: echoInference },
  });
  try {
    const { theirs, mine, scoped } = await twoTenants(edge);
    const { id } = ((await (await edge.get("/v1/keys?limit=1", mine)).json()) as { keys: [{ id: string }] }).keys[0];
    console.log("| route | foreign, ms | unknown, ms | share | deviations |\n|---|---|---|---|---|");
    for (const operation of operations.filter((one) => one.includes(only))) {
      const row = rows[operation];
      if (row === undefined) throw new Error(`no row for ${operation}`);
      const key = row.scoped === true ? scoped : mine;
      const sides = [theirs, nobodys].map(
        (things) => () => timed(edge, key, operation, things, row.tries(things)[0] ?? {}),
      );
      print(operation, await inTurns(sides, pairs));
    }
    const show = (things: Things) => () => timed(edge, mine, "GET /v1/keys/{id}", things, {});
    print(
      "unknown and unknown, for the noise",
      await inTurns([show(nobodys), show({ ...nobodys, id: "f".repeat(24) })], pairs),
    );
    print(
      "its own and unknown, to see that a difference is seen",
      await inTurns([show({ ...theirs, id }), show(nobodys)], pairs),
    );
  } finally {
    await edge.close();
    await origin.close();
  }
}

/** Both sides, in random order pair by pair, so that what the machine does falls on both. */
async function inTurns(sides: readonly (() => Promise<number>)[], pairs: number): Promise<readonly number[][]> {
  const times = sides.map((): number[] => []);
  for (const side of [...sides, ...sides]) await side();
  for (let pair = 0; pair < pairs; pair++) {
    const first = Math.random() < 0.5 ? 0 : 1;
    for (const at of [first, 1 - first]) times[at]?.push((await sides[at]?.()) ?? Number.NaN);
  }
  return times;
}

/** Milliseconds until the answer is whole. */
async function timed(edge: TestEdge, key: string, operation: string, things: Things, tried: Try): Promise<number> {
  const [method = ""] = operation.split(" ");
  const startMs = performance.now();
  const answer = await fetch(edge.url + pathOf(operation, things, tried.query), {
    method,
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json", ...tried.headers },
    ...(method === "GET" ? {} : { body: JSON.stringify(tried.body ?? {}) }),
  });
  await answer.text();
  return performance.now() - startMs;
}

function print(what: string, [a = [], b = []]: readonly number[][]): void {
  const { medianA, medianB, share, deviations } = separationOf(a, b);
  const cells = [what, medianA.toFixed(2), medianB.toFixed(2), share.toFixed(3), deviations.toFixed(1)];
  console.log(`| ${cells.join(" | ")} |`);
}
