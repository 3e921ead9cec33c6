import { demand } from "../../suite/judge.ts";
import type { Rule } from "../rule.ts";
import type { Trial } from "../trial.ts";
import { spentAfter } from "./quotas.ts";

const forgets = "limits that a restart forgives";

/** The target is ended and started again in the middle. */
export const restartRules: readonly Rule[] = [
  {
    id: "restart-requests",
    says: "A restart forgives no requests of the minute.",
    pain: forgets,
    feature: "durable",
    async check(trial) {
      const { key } = await trial.issue({ requestsPerMinute: 6 });
      const startMs = Date.now();
      const before = await allOf(trial, key, 12);
      await trial.restart();
      const after = await allOf(trial, key, 12);
      const bound = 6 + Math.ceil((6 * (Date.now() - startMs)) / trial.minuteMs);
      demand(before + after <= bound, `against 6 a minute ${before} were admitted before and ${after} after`);
      demand(before >= 6, `against 6 a minute ${before} were admitted`);
    },
  },
  {
    id: "restart-tokens",
    says: "A restart forgives no tokens of the minute.",
    pain: forgets,
    feature: "durable",
    async check(trial) {
      const { key } = await trial.issue({ tokensPerMinute: 100 });
      const { admitted, finish } = await trial.burst(
        4,
        () => ({ key, maxTokens: 100 }),
        (hold) => () => ({
          kind: "answer",
          pieces: Array.from({ length: 99 }, () => " word"),
          hold,
        }),
      );
      await finish();
      const startMs = Date.now();
      await trial.restart();
      const later = await trial.burst(4, () => ({ key, maxTokens: 90 }));
      await later.finish();
      demand(admitted === 1, `of 4 calls of 100 tokens ${admitted} were admitted`);
      const filled = Date.now() - startMs > 50_000;
      demand(filled || later.admitted === 0, `after a restart ${later.admitted} calls of 90 tokens were admitted`);
    },
  },
  {
    id: "restart-quota",
    says: "A restart forgives nothing of the day's quota.",
    pain: forgets,
    feature: "durable",
    async check(trial) {
      const { key } = await trial.issue({ callsPerDay: 5 });
      const one = trial.case();
      for (let i = 0; i < 3; i++) await trial.succeed(one, { key });
      await trial.restart();
      const after = await allOf(trial, key, 12);
      demand(after <= 2, `of 5 calls a day 3 were used before and ${after} admitted after a restart`);
      trial.note(`${after} of the 2 that were left were admitted`);
    },
  },
  {
    id: "restart-usage",
    says: "A restart loses nothing of what was said to be used, and counts nothing twice.",
    pain: "spend that is wrong",
    feature: "durable",
    async check(trial) {
      const issued = await trial.issue({});
      const one = trial.case();
      for (let i = 0; i < 3; i++) await trial.succeed(one, { key: issued.key, stream: i === 1 });
      await spentAfter(trial, issued, 3);
      await trial.restart();
      await trial.succeed(one, { key: issued.key });
      const { calls, outputTokens } = await spentAfter(trial, issued, 4);
      demand(calls === 4 && outputTokens === 20, `4 calls of 5 tokens are told as ${calls} and ${outputTokens}`);
    },
  },
];

/** How many of so many calls at once are admitted. */
async function allOf(trial: Trial, key: string, count: number): Promise<number> {
  const { admitted, finish } = await trial.burst(count, () => ({ key }));
  await finish();
  return admitted;
}
