import { seen } from "../../suite/answer.ts";
import { demand } from "../../suite/judge.ts";
import { pass } from "../../suite/waiting.ts";
import type { Rule } from "../rule.ts";
import type { Ask, Trial } from "../trial.ts";

const unruly = "a cache that a caller cannot steer";
const silent = "a value out of range, changed without a word";

const wishing = (cacheControl: string): Ask => ({ wish: { cacheControl } });

/** What a caller asks of the cache is done, or refused. */
export const controlRules: readonly Rule[] = [
  {
    id: "no-cache",
    says: "`no-cache` asks the origin, and what it says replaces what was kept.",
    pain: unruly,
    feature: "directives",
    async check(trial) {
      const one = trial.case();
      await trial.keep(one);
      const { text } = await trial.succeed(one, wishing("no-cache"));
      demand(text === `Answer 2 to ${one.id}.`, `no-cache got '${text}'`);
      const kept = await trial.keep(one);
      demand(kept.text === text, `afterwards '${kept.text}' is kept, not '${text}'`);
    },
  },
  {
    id: "no-store",
    says: "`no-store` neither uses what is kept nor keeps what comes.",
    pain: unruly,
    feature: "directives",
    async check(trial) {
      const one = trial.case();
      for (let call = 0; call < 2; call++) {
        demand(!(await trial.hits(one, wishing("no-store"))), "what came under no-store was kept");
      }
      const { text } = await trial.keep(one);
      demand(!(await trial.hits(one, wishing("no-store"))), "no-store was answered from the cache");
      const kept = await trial.succeed(one);
      demand(kept.text === text, `what came under no-store replaced what was kept: '${kept.text}'`);
    },
  },
  {
    id: "max-age",
    says: "`max-age` uses what is kept only while it is that young.",
    pain: unruly,
    feature: "directives",
    async check(trial) {
      const one = trial.case();
      await trial.keep(one);
      demand(await trial.hits(one, wishing("max-age=600")), "max-age=600 asks the origin at once");
      await pass(1_100);
      demand(!(await trial.hits(one, wishing("max-age=0"))), "max-age=0 was answered from the cache");
    },
  },
  {
    id: "min-fresh",
    says: "`min-fresh` uses what is kept only when it will stay fresh that long.",
    pain: unruly,
    feature: "directives",
    async check(trial) {
      const one = trial.case();
      await trial.keep(one, { wish: { ttl: "60" } });
      demand(await trial.hits(one, wishing("min-fresh=5")), "min-fresh=5 asks the origin though 60 s are left");
      demand(!(await trial.hits(one, wishing("min-fresh=600"))), "min-fresh=600 was answered with 60 s left");
    },
  },
  {
    id: "only-if-cached",
    says: "`only-if-cached` answers 504 without asking the origin when nothing is kept, and what is kept otherwise.",
    pain: unruly,
    feature: "directives",
    async check(trial) {
      const one = trial.case();
      const absent = await trial.ask(one, wishing("only-if-cached"));
      demand(absent.status === 504 && one.calls().length === 0, `${seen(absent)}, ${one.calls().length} calls`);
      const { text } = await trial.keep(one);
      const kept = await trial.succeed(one, wishing("only-if-cached"));
      demand(kept.text === text, `only-if-cached got ${seen(kept)}`);
    },
  },
  {
    id: "max-stale",
    says: "`max-stale` takes an answer past its life, and only a caller who says so gets it.",
    pain: unruly,
    feature: "directives",
    async check(trial) {
      const one = trial.case();
      const { text } = await trial.keep(one, { wish: { ttl: "1" } });
      await pass(1_300);
      const stale = await trial.succeed(one, wishing("max-stale=60"));
      demand(stale.text === text, `max-stale=60 got '${stale.text}'`);
      demand(!(await trial.hits(one, { wish: { ttl: "1" } })), "without max-stale a stale answer was served");
    },
  },
  {
    id: "directives-unknown",
    says: "Unknown directives and other cases of known ones change nothing and are no error.",
    pain: unruly,
    feature: "directives",
    async check(trial) {
      const one = trial.case();
      await trial.keep(one);
      demand(await trial.hits(one, wishing("sparkling, x=1")), "an unknown directive asks the origin");
      demand(!(await trial.hits(one, wishing("No-Cache"))), "'No-Cache' was answered from the cache");
    },
  },
  {
    id: "ttl",
    says: "An answer is never served past the life that its caller gave it, not even when the origin fails.",
    pain: unruly,
    feature: "ttl",
    check: ttlHolds,
  },
  {
    id: "ttl-range",
    says: "A life that is out of range or no number is a 400 that asks nobody; it is never changed silently.",
    pain: silent,
    feature: "ranges",
    async check(trial) {
      const one = trial.case();
      for (const ttl of ["0", "-1", "1.5", "99999999999", "soon", "1e3", "60 "]) {
        const answer = await trial.ask(one, { wish: { ttl } });
        if (ttl.trim() === "60") demand(answer.status === 200, `'60 ' got ${seen(answer)}`);
        else demand(answer.status === 400, `a life of '${ttl}' got ${seen(answer)}`);
      }
      demand(one.calls().length <= 1, `the origin was asked ${one.calls().length} times`);
    },
  },
  {
    id: "partition",
    says: "A caller's own key divides entries and never joins two prompts.",
    pain: "a custom key that answers another prompt",
    feature: "partition",
    safety: true,
    check: partitioned,
  },
  {
    id: "partition-range",
    says: "A key that is too long or malformed is a 400 that asks nobody.",
    pain: silent,
    feature: "ranges",
    async check(trial) {
      const one = trial.case();
      for (const partition of ["two words", "100%", "x".repeat(129)]) {
        const bad = await trial.ask(one, { wish: { partition } });
        demand(bad.status === 400, `the key '${partition.slice(0, 20)}' got ${seen(bad)}`);
      }
      demand(one.calls().length === 0, `the origin was asked ${one.calls().length} times`);
    },
  },
];

async function ttlHolds(trial: Trial): Promise<void> {
  let down = false;
  const one = trial.case(({ index }) =>
    down ? { kind: "error", status: 500 } : { kind: "answer", pieces: [`Call ${index}`] },
  );
  const ask: Ask = { wish: { ttl: "1" } };
  await trial.keep(one, ask);
  await pass(1_300);
  demand(!(await trial.hits(one, ask)), "it was served after its life");
  down = true;
  await pass(1_300);
  const failed = await trial.ask(one, ask);
  demand(failed.status >= 400, `the origin is down and the life over, the caller got ${seen(failed)}`);
}

async function partitioned(trial: Trial): Promise<void> {
  const [one, other] = [trial.case(), trial.case()];
  const ask: Ask = { wish: { partition: "blue" } };
  await trial.keep(one, ask);
  demand(!(await trial.hits(one, { wish: { partition: "red" } })), "'red' got what 'blue' was told");
  demand(!(await trial.hits(one)), "a call without a key got what 'blue' was told");
  demand(!(await trial.hits(other, ask)), "another prompt under 'blue' got the first one's answer");
}
