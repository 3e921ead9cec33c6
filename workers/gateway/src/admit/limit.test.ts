import { type Limits, type Terms, tenantDefaults } from "@ledge/contract";
import { defaultTerms, freshMeter, type MeterAnswer, type MeterAsk, type MeterState, meterStep } from "@ledge/policy";
import { beforeEach, describe, expect, test } from "vitest";
import type { Demand, Hold, Principal, StandingLimit } from "../exchange.ts";
import { Limit, type Taken } from "./limit.ts";
import type { Meters } from "./ports.ts";

/** The meters in memory, as the Durable Objects keep them, with their asks on record. */
class MemoryMeters implements Meters {
  readonly asks: { readonly subject: string; readonly ask: MeterAsk }[] = [];
  down = false;
  readonly states = new Map<string, MeterState>();

  async ask(subject: string, limits: Limits, ask: MeterAsk): Promise<MeterAnswer> {
    if (this.down) throw new Error("overloaded");
    this.asks.push({ subject, ask });
    const [answer, state] = meterStep(limits, this.states.get(subject) ?? freshMeter, nowMs, ask);
    this.states.set(subject, state);
    return answer;
  }

  close(subject: string): void {
    this.states.set(subject, { ...(this.states.get(subject) ?? freshMeter), closed: true });
  }
}

let nowMs: number;
let meters: MemoryMeters;
let background: Promise<void>[];
let sleepers: (() => void)[];
let said: readonly StandingLimit[];
let leases: number;

beforeEach(() => {
  nowMs = 1_700_000_000_000;
  meters = new MemoryMeters();
  background = [];
  sleepers = [];
  leases = 0;
});

function isolate(): Limit {
  return new Limit({
    meters,
    newLease: () => `lease-${++leases}`,
    nowMs: () => nowMs,
    sleep: () => new Promise((resolve) => sleepers.push(resolve)),
    callMsMax: 120_000,
  });
}

interface Whose {
  readonly key?: Limits;
  readonly user?: Limits;
  readonly tenant?: Limits;
  readonly tier?: Limits;
  readonly quotas?: Principal["standing"]["quotas"];
}

function caller({ key = {}, user = {}, tenant = {}, tier = {}, quotas = {} }: Whose, keyId = "a"): Principal {
  return {
    tenant: "acme",
    subject: `key:${keyId}`,
    keyId,
    user: "ann",
    scopes: [],
    standing: {
      tenant: { tenant: "acme", ...tenantDefaults },
      tier: "standard",
      priority: 5,
      weight: 1,
      limits: { key, user, tenant, tier },
      quotas,
      notifyAt: [],
    },
  };
}

const look: Demand = { inputBytes: 0 };
const chat: Demand = { action: "chat", model: "tiny-chat", inputBytes: 100, outputTokensMax: 50 };

async function take(limit: Limit, principal: Principal, demand: Demand = look, terms: Terms = defaultTerms) {
  const taken = await limit.take(
    principal,
    demand,
    terms,
    (limits) => {
      said = limits;
    },
    (work) => background.push(work),
  );
  return taken;
}

/** Takes, and goes on. */
async function begin(limit: Limit, principal: Principal, demand: Demand = look): Promise<Hold | undefined> {
  const taken = await take(limit, principal, demand);
  if (!taken.ok) throw new Error(taken.fault.code);
  return taken.value.begin();
}

/** How many of so many calls at once are admitted. */
async function admitted(limit: Limit, principal: Principal, calls: number, demand: Demand = look): Promise<number> {
  const all = await Promise.all(Array.from({ length: calls }, () => take(limit, principal, demand)));
  const through = all.flatMap((taken): Taken[] => (taken.ok ? [taken.value] : []));
  for (const taken of through) taken.begin();
  return through.length;
}

/** Lets everything that goes on behind calls come to its end, sleepers aside. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

async function wake(ms: number): Promise<void> {
  nowMs += ms;
  for (const sleeper of sleepers.splice(0)) sleeper();
  await settled();
}

describe("the limits as an isolate holds them", () => {
  test("admit exactly their number of concurrent requests", async () => {
    for (const limit of [1, 10, 100, 400]) {
      const principal = caller({ key: { requests_per_minute: limit } }, `key-${limit}`);
      expect(await admitted(isolate(), principal, 3 * limit)).toBe(limit);
    }
  });

  test("admit exactly as many concurrent calls as their tokens cover, and as may be in flight", async () => {
    const tokens = caller({ key: { tokens_per_minute: 150 * 7 + 149 } });
    expect(await admitted(isolate(), tokens, 50, chat)).toBe(7);
    const inFlight = caller({ tenant: { in_flight: 5 } }, "b");
    expect(await admitted(isolate(), inFlight, 50, chat)).toBe(5);
  });

  test("are one for several isolates", async () => {
    const isolates = [isolate(), isolate(), isolate()];
    const principal = caller({ tenant: { requests_per_minute: 10, in_flight: 8 } });
    const counts = await Promise.all(isolates.map((each) => admitted(each, principal, 50, chat)));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(8);
  });

  test("let a fast caller spend leases: far fewer hops than calls", async () => {
    const limit = isolate();
    const principal = caller({ key: { requests_per_minute: 1_000_000 } });
    for (let call = 0; call < 5_000; call++) {
      expect(await admitted(limit, principal, 1)).toBe(1);
      nowMs += call % 2;
    }
    expect(meters.asks.length).toBeLessThan(40);
  });

  test("renew a large lease before it runs out, so that no call stands waiting", async () => {
    const limit = isolate();
    const principal = caller({ key: { requests_per_minute: 1_000_000 } });
    for (let call = 0; call < 3_000; call++) {
      await admitted(limit, principal, 1);
      await settled();
      nowMs += call % 2;
    }
    const waiting = meters.asks.filter(({ ask }) => !ask.ahead).length;
    expect(meters.asks.filter(({ ask }) => ask.ahead).length).toBeGreaterThan(2);
    expect(waiting).toBeLessThan(13);
  });

  test("ask every subject that has limits, at once, and none that has not but the key's", async () => {
    const terms = { ...defaultTerms, models: { "tiny-chat": { limits: { in_flight: 9 } } } };
    const principal = caller({ tenant: { requests_per_day: 9 }, tier: { tokens_per_minute: 900 } });
    expect((await take(isolate(), principal, chat, terms)).ok).toBe(true);
    expect(meters.asks.map(({ subject }) => subject)).toEqual([
      "key:a",
      "tenant:acme",
      "model:tiny-chat",
      "tier:standard",
    ]);
    expect(said.map(({ name, left }) => `${name} ${left}`)).toEqual([
      "tenant-requests-day 8",
      "model-in-flight 8",
      "tier-tokens 750",
    ]);
  });

  test("give back what the others granted when one refuses, and what something else refused", async () => {
    const principal = caller({ key: { requests_per_minute: 10 }, tenant: { requests_per_minute: 1 } });
    const limit = isolate();
    await begin(limit, principal);
    const refused = await take(limit, principal);
    expect(refused).toMatchObject({ fault: { code: "rate_limited", retryAfterMs: 60_000 } });
    const other = caller({ key: { requests_per_minute: 10 }, quotas: { calls_per_day: 9 } });
    const first = await take(isolate(), other);
    if (first.ok) first.value.release();
    await wake(1_000);
    expect(await admitted(isolate(), other, 20)).toBe(9);
  });

  test("are told apart: requests, tokens, calls in flight, and what they would never cover", async () => {
    const limit = isolate();
    const codeOf = async (whose: Whose, demand: Demand, id: string) => {
      await take(limit, caller(whose, id), demand);
      const again = await take(limit, caller(whose, id), demand);
      return again.ok ? undefined : [again.fault.code, again.fault.detail];
    };
    expect(await codeOf({ key: { requests_per_second: 1 } }, chat, "1")).toEqual([
      "rate_limited",
      "Limit: requests-second.",
    ]);
    expect(await codeOf({ key: { tokens_per_minute: 200 } }, chat, "2")).toEqual(["tokens_limited", "Limit: tokens."]);
    expect(await codeOf({ key: { in_flight: 1 } }, chat, "3")).toEqual(["too_many_in_flight", "Limit: in-flight."]);
    expect(await codeOf({ key: { input_tokens_per_minute: 99 } }, chat, "4")).toEqual([
      "input_too_large",
      "input-tokens-per-minute is 99; the call may need 100.",
    ]);
    const asked = meters.asks.length;
    expect(await codeOf({ tenant: { input_bytes: 99 } }, chat, "5")).toEqual([
      "input_too_large",
      "tenant-input-bytes allows 99 bytes; the input has 100.",
    ]);
    expect(meters.asks.length).toBe(asked);
  });

  test("admit a caller who waits exactly as long as a refusal says, of whichever limit", async () => {
    for (const measure of [
      "requests_per_second",
      "requests_per_minute",
      "requests_per_day",
      "tokens_per_minute",
    ] as const) {
      const principal = caller({ key: { [measure]: 300 }, tenant: { requests_per_minute: 600 } }, measure);
      const [one, other] = [isolate(), isolate()];
      for (let call = 0; call < 400; call++) await admitted(call % 2 === 0 ? one : other, principal, 1, chat);
      const refused = await take(one, principal, chat);
      if (refused.ok) throw new Error("it is not refused");
      nowMs += refused.fault.retryAfterMs ?? 0;
      expect((await take(one, principal, chat)).ok, measure).toBe(true);
    }
  });
});

describe("what a call holds", () => {
  const principal = caller({ key: { tokens_per_minute: 300, in_flight: 2 } });

  test("is nothing where only requests are counted", async () => {
    expect(await begin(isolate(), caller({ key: { requests_per_minute: 9 } }), chat)).toBeUndefined();
  });

  test("goes back when it is cancelled, fails or comes from the cache, and is spent as far as it was used", async () => {
    for (const [used, left] of [
      [undefined, 300],
      [{ inputTokens: 0, outputTokens: 0 }, 300],
      [{ inputTokens: 20, outputTokens: 7 }, 273],
      // What is not known was reserved, and may have been used.
      [{ outputTokens: 7 }, 193],
      [{}, 150],
    ] as const) {
      meters.states.clear();
      const hold = await begin(isolate(), principal, chat);
      expect(said.find(({ name }) => name === "tokens")?.left).toBe(150);
      hold?.settle(used);
      await wake(0);
      await take(isolate(), principal, { ...chat, inputBytes: 1, outputTokensMax: 1 });
      expect(said.find(({ name }) => name === "tokens")?.left, JSON.stringify(used)).toBe(left - 2);
    }
  });

  test("near a limit goes back as soon as the call is over, for another isolate to take", async () => {
    const [one, other] = [isolate(), isolate()];
    const holds = [await begin(one, principal, chat), await begin(one, principal, chat)];
    expect((await take(other, principal, chat)).ok).toBe(false);
    holds[0]?.settle(undefined);
    await wake(50);
    expect((await take(other, principal, chat)).ok).toBe(true);
  });

  test("is charged beyond what it reserved when its answer was longer: later calls wait", async () => {
    const hold = await begin(isolate(), principal, chat);
    hold?.settle({ inputTokens: 100, outputTokens: 500 });
    await wake(1_000);
    const refused = await take(isolate(), principal, chat);
    expect(refused).toMatchObject({ fault: { code: "tokens_limited" } });
    if (!refused.ok) expect(refused.fault.retryAfterMs).toBeGreaterThan(80_000);
  });

  test("of an answer without a bound is 1,024 tokens, or what the limits leave when that is less", async () => {
    const unbound: Demand = { action: "chat", model: "tiny-chat", inputBytes: 100 };
    const limitOf = async (key: Limits, id: string) => {
      const taken = await take(isolate(), caller({ key }, id), unbound);
      return taken.ok ? taken.value.outputLimit : taken.fault.code;
    };
    expect(await limitOf({ tokens_per_minute: 9_000 }, "1")).toBe(1_024);
    expect(await limitOf({ tokens_per_minute: 300 }, "2")).toBe(200);
    expect(await limitOf({ output_tokens_per_minute: 80 }, "3")).toBe(80);
    expect(await limitOf({ requests_per_minute: 80 }, "4")).toBeUndefined();
    expect(await limitOf({ tokens_per_minute: 100 }, "5")).toBe("input_too_large");
  });

  test("is fewer tokens of a prompt where a model's terms say how few a byte can become", async () => {
    const terms = { ...defaultTerms, models: { "tiny-chat": { tokens_per_byte_max: 0.5 } } };
    await take(isolate(), principal, chat, terms);
    expect(said.find(({ name }) => name === "tokens")?.left).toBe(200);
  });
});

describe("a key that is revoked", () => {
  test.each([
    ["without limits", {}],
    ["with them", { requests_per_minute: 1_000_000 }],
  ])("is refused everywhere within four seconds, %s", async (_what, key) => {
    const limit = isolate();
    const principal = caller({ key });
    for (let call = 0; call < 100; call++) await admitted(limit, principal, 1);
    meters.close("key:a");
    nowMs += 4_000;
    expect(await take(limit, principal)).toMatchObject({ fault: { code: "invalid_credentials" } });
    expect(await take(isolate(), principal)).toMatchObject({ fault: { code: "invalid_credentials" } });
  });

  test("is refused at once where its isolate has heard of it", async () => {
    const limit = isolate();
    const principal = caller({});
    expect(await admitted(limit, principal, 1)).toBe(1);
    meters.close("key:a");
    nowMs += 1_001;
    expect(await admitted(limit, principal, 1)).toBe(1);
    await settled();
    expect(await admitted(limit, principal, 5)).toBe(0);
  });

  test("in steady use is asked for about once a second, behind the calls", async () => {
    const limit = isolate();
    const principal = caller({});
    for (let call = 0; call < 1_000; call++) {
      expect(await admitted(limit, principal, 1)).toBe(1);
      await settled();
      nowMs += 10;
    }
    expect(meters.asks.filter(({ ask }) => !ask.ahead)).toHaveLength(1);
    expect(meters.asks.length).toBeLessThan(13);
  });
});

describe("while the meter cannot be reached", () => {
  test("the isolate holds the same limits alone: degraded, never unlimited", async () => {
    meters.down = true;
    const limit = isolate();
    const principal = caller({ key: { requests_per_minute: 10, in_flight: 50, tokens_per_minute: 1_799 } });
    expect(await admitted(limit, principal, 100, chat)).toBe(10);
    nowMs += 6_000;
    expect(await admitted(limit, principal, 100, chat)).toBe(1);
  });

  test("what calls held is settled when it can be reached again, once", async () => {
    const principal = caller({ key: { in_flight: 1 } });
    const limit = isolate();
    const hold = await begin(limit, principal, chat);
    meters.down = true;
    hold?.settle(undefined);
    await wake(1_000);
    meters.down = false;
    expect((await take(limit, principal, chat)).ok).toBe(true);
    expect((await take(limit, principal, chat)).ok).toBe(false);
  });
});
