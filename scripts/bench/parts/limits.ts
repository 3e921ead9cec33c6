import { type Limits, tenantDefaults } from "@ledge/contract";
import { defaultTerms, freshMeter, leasePolicy, type MeterAsk, type MeterState, meterStep } from "@ledge/policy";
import { Limit } from "../../../workers/gateway/src/admit/limit.ts";
import type { Meters } from "../../../workers/gateway/src/admit/ports.ts";
import type { Demand, Principal } from "../../../workers/gateway/src/exchange.ts";
import type { WorldOptions } from "../../simulate/limits-subject.ts";
import { runWorld } from "../../simulate/limits-world.ts";
import type { Outcome } from "../outcome.ts";
import type { Plan } from "../plan.ts";
import { spreadOf } from "../statistics.ts";
import type { World } from "../world.ts";

/** Calls of each round of `takeUs`: enough that a round lasts many ticks of the clock. */
const callsPerRound = 20_000;
const far = 10_000_000;
const request: Demand = { action: "chat", model: "tiny-chat", inputBytes: 400, outputTokensMax: 100 };

/**
 * What limits cost: how often an isolate asks the meter, on virtual time, and how much CPU time the isolate takes to decide a call for which
 * it holds leases. The gateway's own code, in Node; neither workerd nor a network is in the figures.
 */
export async function measureLimits(_world: World, plan: Plan): Promise<Outcome> {
  const aims = [
    [1, 1, 1_000],
    [10, 1, 150],
    [1_000, 1, 20],
    [1_000, 20, undefined],
  ] as const;
  const asked = aims.map(([perSecond, isolates, most]) => {
    const per1000 = metersAsked(perSecond, isolates);
    const over = isolates === 1 ? "one isolate" : `${isolates} isolates`;
    const name = `j  meter calls per 1,000 requests, ${perSecond.toLocaleString("en")}/s of one key at ${over}`;
    const reached = per1000.toFixed(1);
    return most === undefined
      ? { name, aim: "-", reached }
      : { name, aim: `≤ ${most.toLocaleString("en")}`, reached, met: per1000 <= most };
  });
  const facts = [];
  for (const subjects of [1, 3, 6]) {
    const us: number[] = [];
    for (let round = 0; round <= plan.rateRounds; round++) {
      const took = await takeUs(subjects);
      if (round > 0) us.push(took);
    }
    facts.push({
      name: `j  admitting a call under the limits of ${subjects} ${subjects === 1 ? "subject" : "subjects"}, leases held, CPU µs`,
      value: spreadOf(us).median.toFixed(1),
    });
  }
  return { rows: [], aims: asked, facts, rounds: [] };
}

/** Asks and settlements for 1,000 requests of one caller, far from its limit, over a simulated network. */
function metersAsked(perSecond: number, isolates: number): number {
  const options: WorldOptions = {
    seed: 1,
    locations: 1,
    isolatesPerLocation: isolates,
    subjects: 1,
    topRate: perSecond,
    steady: true,
    seconds: Math.max(20, 2_000 / perSecond),
    policy: leasePolicy,
    delayMs: [2, 30],
    loss: 0,
    doubled: 0,
    deathsPerS: 0,
    evictionsPerS: 0,
  };
  const [tally] = runWorld(options);
  return tally === undefined ? Number.NaN : (1_000 * tally.messages) / tally.calls;
}

/** Microseconds of CPU time of one call, admitted and settled. */
async function takeUs(subjects: number): Promise<number> {
  const limit = new Limit({
    meters: memoryMeters(),
    newLease: leaseNames(),
    nowMs: () => Date.now(),
    sleep: () => new Promise(() => undefined),
    callMsMax: 30_000,
  });
  const limits: Limits = { requests_per_minute: far, tokens_per_minute: far * 100, in_flight: far };
  const caller = callerOf(subjects, limits);
  const models = { "tiny-chat": { limits: subjects > 4 ? limits : {} } };
  const terms = { ...defaultTerms, models };
  const call = async () => {
    const taken = await limit.take(
      caller,
      request,
      terms,
      () => undefined,
      () => undefined,
    );
    if (!taken.ok) throw new Error(`refused: ${taken.fault.code}`);
    taken.value.begin()?.settle({ inputTokens: 90, outputTokens: 60 });
  };
  for (let warm = 0; warm < callsPerRound / 4; warm++) await call();
  const before = process.cpuUsage();
  for (let one = 0; one < callsPerRound; one++) await call();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / callsPerRound;
}

/** Key; then user and tenant; then the tenant's model, the model and the tier. */
function callerOf(subjects: number, limits: Limits): Principal {
  const few = subjects > 1 ? limits : {};
  const all = subjects > 3 ? limits : {};
  return {
    tenant: "acme",
    subject: "key:a",
    keyId: "a",
    user: "ann",
    scopes: [],
    standing: {
      tenant: { tenant: "acme", ...tenantDefaults, models: { "tiny-chat": all } },
      tier: "standard",
      priority: 5,
      weight: 1,
      limits: { key: limits, user: few, tenant: few, tier: all },
      quotas: {},
      notifyAt: [],
    },
  };
}

function memoryMeters(): Meters {
  const states = new Map<string, MeterState>();
  return {
    async ask(subject: string, limits: Limits, ask: MeterAsk) {
      const [answer, after] = meterStep(limits, states.get(subject) ?? freshMeter, Date.now(), ask);
      states.set(subject, after);
      return answer;
    },
  };
}

function leaseNames(): () => string {
  let leases = 0;
  return () => `bench:${++leases}`;
}
