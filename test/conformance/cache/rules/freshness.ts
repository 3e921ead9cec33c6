import { cacheStatusOf, seen } from "../../suite/answer.ts";
import { demand, NotOffered } from "../../suite/judge.ts";
import { gate, pass } from "../../suite/waiting.ts";
import type { Rule } from "../rule.ts";
import type { Ask, Case, Trial } from "../trial.ts";

const opaque = "nobody can tell where an answer came from";
const outage = "an outage that a kept answer could have bridged";

/** Every answer says where it came from and how old it is, and stale ones come only as the policy says. */
export const freshnessRules: readonly Rule[] = [
  {
    id: "cache-status",
    says: "`Cache-Status` (RFC 9211) tells a hit with its ttl from a miss that was stored, a forced call and a bypass.",
    pain: opaque,
    feature: "status",
    check: statusTold,
  },
  {
    id: "age",
    says: "A hit says its `Age` in seconds, which grows; a fresh answer says none or 0.",
    pain: opaque,
    feature: "age",
    async check(trial) {
      const one = trial.case();
      const fresh = await trial.succeed(one);
      demand((fresh.headers.get("Age") ?? "0") === "0", `a fresh answer has the age ${fresh.headers.get("Age")}`);
      const ageNow = async () => {
        const age = (await trial.keep(one)).headers.get("Age");
        if (age === null) throw new NotOffered("a hit says no Age");
        demand(/^[0-9]+$/.test(age), `Age is '${age}'`);
        return Number(age);
      };
      const young = await ageNow();
      await pass(2_100);
      const old = await ageNow();
      demand(old - young >= 1 && old - young <= 20, `the age went from ${young} to ${old} in two seconds`);
    },
  },
  {
    id: "etag",
    says: "An answer's `ETag` stays while the answer does: `If-None-Match` gets a 304 without a body.",
    pain: opaque,
    feature: "validation",
    check: validated,
  },
  {
    id: "stale-while-revalidate",
    says: "Within the window a stale answer comes at once, marked so, while the origin is asked once behind it.",
    pain: "a wait for everyone at each expiry",
    feature: "stale",
    check: (trial) => withStale(trial, { staleWhileRevalidateS: 60 }, refreshedBehind),
  },
  {
    id: "stale-if-error",
    says: "Within the window a stale answer comes, marked so, when the origin fails.",
    pain: outage,
    feature: "stale",
    check: (trial) => withStale(trial, { staleIfErrorS: 60 }, servedOnError),
  },
];

async function statusTold(trial: Trial): Promise<void> {
  const one = trial.case();
  const statusOf = async (ask: Ask) => {
    const status = cacheStatusOf(await trial.succeed(one, ask));
    if (status === undefined) throw new NotOffered("there is no Cache-Status");
    return status;
  };
  const expect = (what: string, so: boolean, status: object) => demand(so, `${what} says ${JSON.stringify(status)}`);
  const ask: Ask = { wish: { ttl: "600" } };
  const miss = await statusOf(ask);
  expect("a miss", miss.fwd === "miss" && miss.stored === "true" && miss.hit === undefined, miss);
  await trial.keep(one, ask);
  const hit = await statusOf(ask);
  const ttl = Number(hit.ttl);
  expect("a hit", hit.hit === "true" && hit.fwd === undefined && ttl > 500 && ttl <= 600, hit);
  const forced = await statusOf({ wish: { cacheControl: "no-cache" } });
  expect("a forced call", forced.fwd === "request" && forced.hit === undefined, forced);
  const bypass = await statusOf({ wish: { cacheControl: "no-store" } });
  expect("a bypass", bypass.fwd === "bypass" && bypass.stored === undefined, bypass);
}

async function validated(trial: Trial): Promise<void> {
  const one = trial.case();
  const kept = await trial.keep(one);
  const etag = kept.headers.get("ETag");
  if (etag === null) throw new NotOffered("a hit has no ETag");
  demand(/^(?:W\/)?"[^"]*"$/.test(etag), `ETag is ${etag}`);
  const before = one.calls().length;
  for (const ifNoneMatch of [etag, `"another", ${etag}`, "*"]) {
    const same = await trial.ask(one, { wish: { ifNoneMatch } });
    demand(same.status === 304 && same.raw === "", `If-None-Match: ${ifNoneMatch} got ${seen(same)}`);
  }
  const other = await trial.ask(one, { wish: { ifNoneMatch: '"another"' } });
  demand(other.status === 200 && other.text === kept.text, `another ETag got ${seen(other)}`);
  demand(one.calls().length === before, "the origin was asked again");
  await trial.succeed(one, { wish: { cacheControl: "no-cache" } });
  const renewed = (await trial.keep(one)).headers.get("ETag");
  demand(renewed !== etag, "another answer has the same ETag");
}

interface Origin {
  down: boolean;
  /** It answers when this is opened. */
  hold?: Promise<void>;
}

/** Runs with stale windows on the other model, where no other rule is surprised by them, and takes them back. */
async function withStale(
  trial: Trial,
  windows: { readonly staleWhileRevalidateS?: number; readonly staleIfErrorS?: number },
  check: (trial: Trial, staleCase: () => Promise<[Case, Origin, string]>, ask: Ask) => Promise<void>,
): Promise<void> {
  const operator = trial.operator();
  const { otherModel: model } = trial.target;
  const ask: Ask = { model, wish: { ttl: "1" } };
  const staleCase = async (): Promise<[Case, Origin, string]> => {
    const origin: Origin = { down: false };
    const one = trial.case(({ index }) => {
      if (origin.down) return { kind: "error", status: 500 };
      const { hold = Promise.resolve() } = origin;
      return { kind: "answer", pieces: [`Call ${index} of ${one.id}`], hold };
    });
    const { text } = await trial.keep(one, ask);
    await pass(1_300);
    return [one, origin, text];
  };
  await operator.setStale(model, windows);
  try {
    await check(trial, staleCase, ask);
  } finally {
    await operator.setStale(model, undefined);
  }
}

/** How long a refresh takes. */
const refreshMs = 3_000;

async function refreshedBehind(trial: Trial, staleCase: () => Promise<[Case, Origin, string]>, ask: Ask) {
  let before = 0;
  let served: [Case, string] | undefined;
  // A policy takes a moment to reach every isolate.
  await trial.eventually("an expired answer comes at once", async () => {
    const [one, origin, text] = await staleCase();
    before = one.calls().length;
    const landing = gate();
    origin.hold = landing.opened;
    // Who waits for the origin waits until then: what comes before it came at once.
    const timer = setTimeout(landing.open, refreshMs);
    const answers = await Promise.all(Array.from({ length: 8 }, () => trial.succeed(one, ask)));
    clearTimeout(timer);
    landing.open();
    const stale = answers.filter((answer) => answer.text === text);
    if (stale.length < answers.length) return false;
    const status = cacheStatusOf(stale[0] ?? answers[0] ?? { headers: new Headers() });
    if (status !== undefined) demand(Number(status.ttl) < 0, `a stale hit says ${JSON.stringify(status)}`);
    served = [one, text];
    return true;
  });
  const [one, text] = served ?? [trial.case(), ""];
  await trial.eventually("the origin is asked behind it", () => one.calls().length > before);
  await trial.eventually("the new answer is served", async () => (await trial.succeed(one, ask)).text !== text);
  demand(one.calls().length === before + 1, `the origin was asked ${one.calls().length - before} times`);
}

async function servedOnError(trial: Trial, staleCase: () => Promise<[Case, Origin, string]>, ask: Ask) {
  await trial.eventually("a stale answer comes when the origin fails", async () => {
    const [one, origin, text] = await staleCase();
    origin.down = true;
    const before = one.calls().length;
    const answer = await trial.ask(one, ask);
    if (answer.status !== 200) return false;
    demand(answer.text === text, `the origin is down, the caller got ${seen(answer)}`);
    demand(one.calls().length > before, "the origin was not asked first");
    const status = cacheStatusOf(answer);
    if (status !== undefined) demand(status.fwd === "stale", `it says ${JSON.stringify(status)}`);
    origin.down = false;
    await pass(1_100);
    demand(!(await trial.hits(one, ask)), "the origin is up again, the stale answer was served on");
    return true;
  });
}
