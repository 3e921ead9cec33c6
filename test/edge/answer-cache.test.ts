import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gatewayName } from "../../scripts/edge/run.ts";
import { countingInference } from "../support/counting-inference.ts";
import { adminKey, startEdge, type TestEdge, until } from "../support/ledge.ts";
import { admin, registerIntent } from "../support/registry.ts";

/**
 * The exact cache in workerd: two gateways, each an isolate of its own, over one KV and one keeper of the rules. What purges and
 * keys do is in cache-purge.test.ts.
 */

interface Seen {
  readonly status: number;
  /** Which run of the model gave the answer. */
  readonly run: string | undefined;
  readonly cache: string;
  readonly headers: Headers;
  readonly code: string | undefined;
}
type Headers_ = Readonly<Record<string, string>>;

const noStore = { "Cache-Control": "no-store" };

let edge: TestEdge;
let key: string;

beforeAll(async () => {
  edge = await startEdge({ standIns: { inference: countingInference }, gateways: 2 });
  ({ key } = await edge.issueKey());
  await registerIntent(edge, "one", "words");
  await until("both know the model", async () => {
    const seen = await Promise.all([0, 1].map((gateway) => ask("known?", noStore, gateway)));
    return seen.every(({ status }) => status === 200);
  });
});
afterAll(() => edge.close());

/** Asks the gateway of this index. */
async function ask(input: string, headers: Headers_ = {}, gateway = 0, credential = key, at = edge): Promise<Seen> {
  const init = {
    method: "POST",
    headers: { Authorization: `Bearer ${credential}`, "Content-Type": "application/json", ...headers },
    body: JSON.stringify({ model: "words", input }),
  };
  const url = `${at.url}/v1/predict`;
  const worker = gateway === 0 ? undefined : await at.miniflare.getWorker(gatewayName(gateway));
  const answer =
    worker === undefined ? await fetch(url, init) : ((await worker.fetch(url, init)) as unknown as Response);
  const text = await answer.text();
  const body = text === "" ? {} : JSON.parse(text);
  return {
    status: answer.status,
    run: body.output?.label,
    cache: answer.headers.get("Cache-Status") ?? "",
    headers: answer.headers,
    code: body.code,
  };
}

const idOf = ({ cache }: Seen) => /key="([0-9a-f]{32})"/.exec(cache)?.[1] ?? "";
const answersOf = (at = edge) => at.miniflare.getKVNamespace("ANSWERS", "ledge-gateway");

/** Waits until the answer to a question lies in KV, which is written behind the answer. */
async function isKept(id: string, at = edge): Promise<string> {
  let slot = "";
  await until("the answer lies in KV", async () => {
    const { keys } = await (await answersOf(at)).list({ prefix: "answer:" });
    slot = keys.map(({ name }) => name).find((name) => name.includes(id)) ?? "";
    return slot !== "";
  });
  return slot;
}

async function eventsOf(event: string): Promise<number> {
  const text = await (await edge.get("/metrics", adminKey)).text();
  const line = new RegExp(`ledge_cache_events_total\\{model="words",version="1",event="${event}"\\} (\\d+)`);
  return Number(line.exec(text)?.[1] ?? Number.NaN);
}

describe("an answer", () => {
  test("is found in memory, and by another isolate in KV, under one name", async () => {
    const first = await ask("where is it found?");
    expect(first.cache).toMatch(/^Ledge; fwd=miss; stored; key="[0-9a-f]{32}"$/);
    const near = await ask("where is it found?");
    expect(near.cache).toMatch(/^Ledge; hit; ttl=3\d{3}; key="[0-9a-f]{32}"; detail=memory$/);
    expect(near.headers.get("Age")).toMatch(/^\d$/);
    await isKept(idOf(first));
    const far = await ask("where is it found?", {}, 1);
    expect(far.cache).toMatch(/^Ledge; hit; ttl=3\d{3}; key="[0-9a-f]{32}"; detail=kv$/);
    expect([near.run, far.run]).toEqual(["run 1", "run 1"]);
    expect(new Set([first, near, far].map(idOf)).size).toBe(1);
    expect(new Set([first, near, far].map(({ headers }) => headers.get("ETag"))).size).toBe(1);
  });

  test("of another tenant is never found, at any gateway", async () => {
    const first = await ask("whose is it?");
    await isKept(idOf(first));
    const other = (await edge.issueKey({ tenant: "globex" })).key;
    for (const gateway of [0, 1]) {
      const theirs = await ask("whose is it?", {}, gateway, other);
      expect(idOf(theirs)).not.toBe(idOf(first));
      expect(theirs.run).not.toBe("run 1");
    }
  });

  test("lies in KV under a name and in bytes that tell neither tenant, nor input, nor answer", async () => {
    const first = await ask("a question nobody else may read");
    const slot = await isKept(idOf(first));
    expect(slot).toMatch(/^answer:[0-9a-f]{32}:[0-9a-f]{32}:\d+$/);
    const { value, metadata } = await (await answersOf()).getWithMetadata(slot, "arrayBuffer");
    const stored = `${slot} ${JSON.stringify(metadata)} ${Buffer.from(value ?? new ArrayBuffer()).toString("latin1")}`;
    for (const clear of ["acme", "question", "run 1", "label", "words", "predictions"]) {
      expect(stored).not.toContain(clear);
    }
  });

  test("swapped with another one in KV, or with a flipped bit, is a miss and an alarm", async () => {
    const asked = ["one to swap", "other to swap"];
    const slots: string[] = [];
    for (const input of asked) slots.push(await isKept(idOf(await ask(input))));
    const kv = await answersOf();
    const [a = "", b = ""] = slots;
    const [bytesA, bytesB] = [await kv.get(a, "arrayBuffer"), await kv.get(b, "arrayBuffer")];
    if (bytesA === null || bytesB === null) throw new Error("not kept");
    const before = await eventsOf("unsealed");
    await kv.put(a, bytesB);
    const flipped = new Uint8Array(bytesB.slice(0));
    flipped[40] = (flipped[40] ?? 0) ^ 1;
    await kv.put(b, flipped.buffer);
    for (const input of asked) {
      const seen = await ask(input, {}, 1);
      expect(seen.cache).toContain("fwd=miss; stored");
      expect(seen.run).toBe("run 2");
    }
    await until("two alarms are counted", async () => (await eventsOf("unsealed")) === before + 2);
  });

  test("outlives a restart of the edge, and not another secret", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "ledge-cache-"));
    const options = { dataDir, standIns: { inference: countingInference } };
    const before = await startEdge(options);
    const { key: kept } = await before.issueKey();
    await registerIntent(before, "one", "words");
    await isKept(idOf(await ask("will it last?", {}, 0, kept, before)), before);
    await before.close();
    const after = await startEdge(options);
    await until("the model is known again", async () => (await ask("known?", noStore, 0, kept, after)).status === 200);
    expect((await ask("will it last?", {}, 0, kept, after)).cache).toContain("detail=kv");
    await after.close();
    const other = await startEdge({
      ...options,
      gateway: { CACHE_SECRET: "another secret, of 32 characters or more" },
    });
    await until("the model is known again", async () => (await ask("known?", noStore, 0, kept, other)).status === 200);
    expect((await ask("will it last?", {}, 0, kept, other)).cache).toContain("fwd=miss");
    await other.close();
    rmSync(dataDir, { recursive: true });
  });
});

describe("a caller", () => {
  test("that has the answer already is told so with 304 and no body", async () => {
    const first = await ask("what do I have?");
    const etag = first.headers.get("ETag") ?? "";
    expect(etag).toMatch(/^W\/"[A-Za-z0-9_-]{22}"$/);
    for (const tag of [etag, etag.slice(2), `"x", ${etag}`, "*"]) {
      // Said out loud: `fetch` adds `Cache-Control: no-cache` to a request with If-None-Match.
      const again = await ask("what do I have?", { "If-None-Match": tag, "Cache-Control": "max-age=3600" });
      expect([again.status, again.run]).toEqual([304, undefined]);
      expect(again.headers.get("ETag")).toBe(etag);
      expect(again.cache).toContain("hit");
    }
    expect((await ask("what do I have?", { "If-None-Match": 'W/"another"' })).status).toBe(200);
  });

  test("that takes only what is cached gets 504 when nothing is", async () => {
    const header = { "Cache-Control": "only-if-cached" };
    expect(await ask("is it cached?", header)).toMatchObject({ status: 504, code: "not_cached" });
    await ask("is it cached?");
    expect(await ask("is it cached?", header)).toMatchObject({ status: 200, run: "run 1" });
  });

  test("that says how old or how fresh an answer must be gets none other", async () => {
    await ask("how old?");
    expect(await ask("how old?", { "Cache-Control": "max-age=600" })).toMatchObject({ run: "run 1" });
    expect(await ask("how old?", { "Cache-Control": "min-fresh=86400" })).toMatchObject({ run: "run 2" });
  });

  test.each([
    ["Ledge-Cache-Ttl", "0"],
    ["Ledge-Cache-Ttl", "2592001"],
    ["Ledge-Cache-Ttl", "soon"],
    ["Ledge-Cache-Key", "not a name"],
    ["Ledge-Cache-Tag", "a,,b"],
    ["Ledge-Cache-Semantic", "maybe"],
    ["Cache-Control", "max-age=soon"],
  ])("that sends what cannot be taken is told so, and nothing is changed: %s: %s", async (name, value) => {
    expect(await ask("malformed", { [name]: value })).toMatchObject({ status: 400, code: "invalid_header" });
  });

  test("with a partition of its own has its own answers", async () => {
    const [a, b] = [{ "Ledge-Cache-Key": "user:1" }, { "Ledge-Cache-Key": "user:2" }];
    expect((await ask("mine?", a)).run).toBe("run 1");
    expect((await ask("mine?", b)).run).toBe("run 2");
    expect((await ask("mine?", a)).run).toBe("run 1");
    expect((await ask("mine?")).run).toBe("run 3");
  });
});

describe("a stale answer", () => {
  const brief = { "Ledge-Cache-Ttl": "1" };
  const isStale = (input: string) =>
    until("the answer is stale", async () => /ttl=-\d/.test((await ask(input, brief)).cache));

  test("is given at once while one call gets a fresh one behind it", async () => {
    const input = "slow to refresh";
    await ask(input, brief);
    await isStale(input);
    const seen = await Promise.all(Array.from({ length: 10 }, () => ask(input)));
    for (const one of seen) {
      if (one.run === "run 1")
        expect(one.cache).toMatch(/ttl=-\d+; key="[0-9a-f]{32}"; detail=stale-while-revalidate$/);
      else expect(one.run).toBe("run 2");
    }
    await until("the fresh one is there", async () => (await ask(input)).run === "run 2");
    expect((await ask(input)).cache).toContain("detail=memory");
  });

  test("is given when the tiers fail, and says so", async () => {
    const input = "broken later";
    await ask(input, brief);
    await until("it is stale and the tiers fail", async () => {
      const seen = await ask(input, { "Cache-Control": "no-cache" });
      return seen.status === 503;
    });
    await admin(edge, "PUT", "/models/words/cache", { stale_while_revalidate_s: 0 });
    await until("it is given in place of the failure", async () => {
      const { status, run, cache } = await ask(input);
      expect([status, run]).toEqual([200, "run 1"]);
      return /^Ledge; fwd=stale; fwd-status=503; ttl=-\d+; key="[0-9a-f]{32}"; detail=stale-if-error$/.test(cache);
    });
    await admin(edge, "DELETE", "/models/words/cache");
  });

  test("is taken by who asks for one, and by nobody who says how fresh it must be", async () => {
    const input = "stale by choice";
    await admin(edge, "PUT", "/models/words/cache", { stale_while_revalidate_s: 0 });
    await ask(input, brief);
    const only = "only-if-cached";
    await until("it is stale", async () => (await ask(input, { "Cache-Control": only })).status === 504);
    const stale = await ask(input, { "Cache-Control": `${only}, max-stale=600` });
    expect(stale.run).toBe("run 1");
    expect(stale.cache).toMatch(/^Ledge; hit; ttl=-\d+; key="[0-9a-f]{32}"; detail=(memory|kv)$/);
    expect((await ask(input, { "Cache-Control": "max-age=0" })).run).toBe("run 2");
    await admin(edge, "DELETE", "/models/words/cache");
  });
});

describe("through Workers Cache", () => {
  test("an answer is found by another isolate, still sealed, also where the platform has none", async () => {
    const cached = await startEdge({
      standIns: { inference: countingInference },
      gateways: 2,
      gateway: { WORKERS_CACHE: "on" },
    });
    const { key: theirs } = await cached.issueKey();
    await registerIntent(cached, "one", "words");
    await isKept(idOf(await ask("by Workers Cache", {}, 0, theirs, cached)), cached);
    await until("it knows the model", async () => (await ask("known?", noStore, 1, theirs, cached)).status === 200);
    const far = await ask("by Workers Cache", {}, 1, theirs, cached);
    expect(far.run).toBe("run 1");
    expect(far.cache).toContain("detail=workers-cache");
    expect((await ask("never asked", {}, 1, theirs, cached)).cache).toContain("fwd=miss; stored");
    await cached.close();
  });
});

test("what the cache did is counted by model and version", async () => {
  const before = {
    hits: await eventsOf("hit-memory"),
    misses: await eventsOf("miss"),
    bypassed: await eventsOf("bypass"),
  };
  await ask("counted");
  await ask("counted");
  await ask("counted", { "Cache-Control": "no-store" });
  await until("all three are counted", async () => {
    const after = {
      hits: await eventsOf("hit-memory"),
      misses: await eventsOf("miss"),
      bypassed: await eventsOf("bypass"),
    };
    return after.hits > before.hits && after.misses > before.misses && after.bypassed > before.bypassed;
  });
});

test("no question is in the log", () => {
  expect(edge.logs.join("\n")).not.toContain("a question nobody else may read");
});
