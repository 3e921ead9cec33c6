import { type LedgerAnswer, type LedgerMessage, type LedgerRow, type LedgerRules, nothing } from "@ledge/contract";
import { grant, plus, quotaUse, quotaWindows } from "@ledge/policy";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Accounts } from "./accounts.ts";
import type { TenantLedger } from "./ports.ts";

/** A ledger in memory that can be out of reach, or take a message and lose the answer. */
class MemoryLedger implements TenantLedger {
  readonly messages: LedgerMessage[] = [];
  readonly rows = new Map<string, LedgerRow>();
  readonly held = new Map<string, LedgerMessage["keeps"]>();
  readonly #answers = new Map<string, LedgerAnswer>();
  fails: "never" | "before" | "after" = "never";

  async report(_tenant: string, message: LedgerMessage): Promise<LedgerAnswer> {
    if (this.fails === "before") throw new Error("out of reach");
    const answer = this.#take(structuredClone(message));
    if (this.fails === "after") throw new Error("the answer is lost");
    return answer;
  }

  #take(message: LedgerMessage): LedgerAnswer {
    const name = `${message.isolate} ${message.number}`;
    const known = this.#answers.get(name);
    if (known !== undefined) return known;
    this.messages.push(message);
    for (const row of message.rows) this.rows.set(row.id, row);
    const used = [...this.rows.values()].map(quotaUse).reduce(plus, nothing);
    const windows = quotaWindows(message.rules.quotas, () => ({ startMs: 0, endMs: nowMs + 60_000, used }));
    this.held.set(message.isolate, message.keeps);
    const leased = [...this.held.values()].reduce(plus, nothing);
    const { refusedUntilMs, ahead, granted } = grant(windows, leased, message.demands, message.ahead);
    this.held.set(message.isolate, plus(message.keeps, granted));
    const answer = { refusedUntilMs, ahead };
    this.#answers.set(name, answer);
    return answer;
  }
}

let nowMs: number;
let ledger: MemoryLedger;
let isolates: number;

beforeEach(() => {
  vi.useFakeTimers();
  nowMs = 1_700_000_000_000;
  ledger = new MemoryLedger();
  isolates = 0;
});
afterEach(() => {
  vi.useRealTimers();
});

const isolate = () =>
  new Accounts({
    ledger,
    isolate: () => `isolate-${++isolates}`,
    callMsMax: 1_000,
    nowMs: () => nowMs,
    say: () => undefined,
  });

const rules = (quotas: LedgerRules["quotas"]): LedgerRules => ({ quotas, timeZone: "UTC", notifyAt: [] });
const quota = rules({ calls_per_day: 10, tokens_per_day: 1_000 });
const call = { calls: 1, tokens: 80, microcents: 0 };
const behind = () => undefined;

function row(id: string, more: Partial<LedgerRow> = {}): LedgerRow {
  return {
    id,
    request_id: id,
    at_ms: nowMs,
    model: "m",
    version: "1",
    action: "chat",
    cache: "miss",
    input_tokens: 10,
    output_tokens: 10,
    cost: 0,
    list_cost: 0,
    latency_ms: 1,
    ...more,
  };
}

/** One second of an isolate with a request in the background. */
async function second(): Promise<void> {
  nowMs += 1_000;
  await vi.advanceTimersByTimeAsync(1_000);
}

/** A call from its beginning to its end. */
async function callOnce(accounts: Accounts, more: Partial<LedgerRow> = {}): Promise<string | undefined> {
  const held = await accounts.reserve("t", quota, call, behind);
  if (!held.ok) return held.fault.code;
  held.value?.settle(undefined);
  accounts.record("t", quota, row(accounts.newCall(), more), behind);
  return undefined;
}

describe("what an isolate holds of a quota", () => {
  test("is never more than the quota, however many calls come at once to however many isolates", async () => {
    const all = [isolate(), isolate(), isolate()];
    const asked = Array.from({ length: 60 }, (_, i) => all[i % 3]?.reserve("t", quota, call, behind));
    const admitted = (await Promise.all(asked)).filter((one) => one?.ok);
    expect(admitted).toHaveLength(10);
  });

  test("comes back when no call needs it", async () => {
    const accounts = isolate();
    const held = await accounts.reserve("t", rules({ tokens_per_day: 1_000_000 }), call, behind);
    expect(ledger.held.get("isolate-1")?.tokens).toBeGreaterThan(80);
    if (held.ok) held.value?.settle(undefined);
    for (let i = 0; i < 3; i++) await second();
    expect(ledger.held.get("isolate-1")).toEqual(nothing);
  });

  test("spares hops: calls that come fast are admitted without one each", async () => {
    const accounts = isolate();
    const plenty = rules({ tokens_per_day: 1_000_000_000 });
    for (let calls = 0; calls < 2_000; calls++) {
      const held = await accounts.reserve("t", plenty, call, behind);
      expect(held.ok).toBe(true);
      if (held.ok) held.value?.settle(undefined);
    }
    expect(ledger.messages.length).toBeLessThan(20);
  });

  test("is what a call used and no more, once it is over", async () => {
    const accounts = isolate();
    for (let calls = 0; calls < 10; calls++) expect(await callOnce(accounts)).toBeUndefined();
    await accounts.flush();
    expect(ledger.rows.size).toBe(10);
    expect(await callOnce(accounts)).toBe("quota_exceeded");
  });
});

describe("a ledger that cannot be reached", () => {
  test("refuses calls that need more than is held, and costs a tenant without quotas nothing", async () => {
    const accounts = isolate();
    ledger.fails = "before";
    expect(await callOnce(accounts)).toBe("ledger_unavailable");
    expect(await accounts.reserve("t", rules({}), call, behind)).toEqual({ ok: true, value: undefined });
  });

  test("still lets calls spend what the isolate holds", async () => {
    const accounts = isolate();
    const plenty = rules({ tokens_per_day: 1_000_000_000 });
    await accounts.reserve("t", plenty, call, behind);
    ledger.fails = "before";
    expect((await accounts.reserve("t", plenty, call, behind)).ok).toBe(true);
    expect((await accounts.reserve("t", plenty, { ...call, tokens: 100_000 }, behind)).ok).toBe(false);
  });

  test("gets every row once when it can be reached again, whether it had taken the message or not", async () => {
    for (const fails of ["before", "after"] as const) {
      const accounts = isolate();
      const before = ledger.rows.size;
      for (let calls = 0; calls < 3; calls++) accounts.record("t", rules({}), row(accounts.newCall()), behind);
      ledger.fails = fails;
      await accounts.flush();
      accounts.record("t", rules({}), row(accounts.newCall()), behind);
      ledger.fails = "never";
      await accounts.flush();
      await accounts.flush();
      expect(ledger.rows.size - before).toBe(4);
    }
    const sent = ledger.messages.flatMap(({ rows }) => rows.map(({ id }) => id));
    expect(new Set(sent).size).toBe(sent.length);
  });

  test("does not lose what it granted to callers who had gone when its answer came", async () => {
    const accounts = isolate();
    ledger.fails = "after";
    expect(await callOnce(accounts)).toBe("ledger_unavailable");
    expect(ledger.held.get("isolate-1")?.calls).toBeGreaterThan(0);
    ledger.fails = "never";
    for (let calls = 0; calls < 10; calls++) expect(await callOnce(accounts)).toBeUndefined();
    expect(await callOnce(accounts)).toBe("quota_exceeded");
  });
});

test("a call that waits is not held up by another's request that died while it asked", async () => {
  const accounts = isolate();
  let asks = 0;
  const { report } = ledger;
  ledger.report = async (tenant, message) => {
    asks += 1;
    // The first request is gone with its answer.
    if (asks === 1) await new Promise(() => undefined);
    return await report.call(ledger, tenant, message);
  };
  void accounts.reserve("t", quota, call, behind);
  const second_ = accounts.reserve("t", quota, call, behind);
  for (let i = 0; i < 5; i++) await second();
  expect((await second_).ok).toBe(true);
});

test("what a call had reserved whose request was cut off comes back once it must be over", async () => {
  const accounts = isolate();
  const single = rules({ calls_per_day: 1 });
  expect((await accounts.reserve("t", single, call, behind)).ok).toBe(true);
  // Its request is gone: nobody settles it.
  nowMs += 5_000;
  expect((await accounts.reserve("t", single, call, behind)).ok).toBe(false);
  nowMs += 2_000;
  expect((await accounts.reserve("t", single, call, behind)).ok).toBe(true);
});
