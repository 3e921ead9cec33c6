import { demand, NotOffered } from "../../suite/judge.ts";
import type { Allowed, Issued, Spent } from "../profile.ts";
import type { Rule } from "../rule.ts";
import { answerOf, type Trial } from "../trial.ts";
import { leaveStream, leftTokens } from "./tokens.ts";

const leak = "budgets that leak under bursts";
const wrong = "spend that is wrong";

/** So much a day, and what was used. */
export const quotaRules: readonly Rule[] = [
  {
    id: "quota-calls",
    says: "Of 40 calls at once against 6 a day exactly 6 are admitted, and no more after them.",
    pain: leak,
    feature: "quota",
    check: (trial) => hardStop(trial, { callsPerDay: 6 }, 40, 6),
  },
  {
    id: "quota-tokens",
    says: "Of 50 calls at once of 80 tokens each, against 100 left for the day, exactly 1 is admitted.",
    pain: leak,
    feature: "quota",
    async check(trial) {
      const { key } = await trial.issue({ tokensPerDay: 100 });
      const { admitted, finish } = await trial.burst(50, () => ({ key, maxTokens: 80 }));
      await finish();
      demand(admitted === 1, `${admitted} of 50 were admitted`);
    },
  },
  {
    id: "quota-money",
    says: "Of 40 calls at once against money for 3 exactly 3 are admitted, and no more after them.",
    pain: leak,
    feature: "money",
    check: (trial) => hardStop(trial, { callsWorthPerDay: 3 }, 40, 3),
  },
  {
    id: "quota-failed",
    says: "A call that fails costs nothing of a quota.",
    pain: "paying for failures",
    feature: "quota",
    async check(trial) {
      const { key } = await trial.issue({ tokensPerDay: 100 });
      const failing = trial.case(() => ({ kind: "error", status: 500 }));
      for (let i = 0; i < 4; i++) {
        await trial.eventually("a call is admitted that fails", async () => {
          const { status } = await trial.ask(failing, { key, maxTokens: 80 });
          return status !== 429;
        });
      }
      await trial.eventually("a call is admitted after four that failed", async () => {
        return (await trial.ask(trial.case(), { key, maxTokens: 80 })).status === 200;
      });
    },
  },
  {
    id: "usage-exact",
    says: "What is said to be used is what the origin counted, whoever was refused beside it.",
    pain: wrong,
    feature: "usage",
    async check(trial) {
      const issued = await trial.issue({ callsPerDay: 5 });
      const { finish } = await trial.burst(20, (index) => ({ key: issued.key, stream: index % 2 === 0 }));
      const answers = await finish();
      const used = await spentAfter(trial, issued, answers.length);
      const told = [used.calls, used.inputTokens, used.outputTokens].join(", ");
      demand(told === "5, 55, 25", `five calls of 11 and 5 tokens are told as ${told} (calls, input, output)`);
    },
  },
  {
    id: "usage-forms",
    says: "The streamed and the whole form of one exchange cost the same, to the last digit.",
    pain: "streams that cost more or nothing",
    feature: "usage",
    async check(trial) {
      const spent: Spent[] = [];
      for (const stream of [false, true]) {
        const issued = await trial.issue({});
        for (const tokens of [3, 17, 40]) {
          await trial.succeed(
            trial.case(() => answerOf(tokens)),
            { key: issued.key, maxTokens: 80, stream },
          );
        }
        spent.push(await spentAfter(trial, issued, 3));
      }
      const [whole, streamed] = spent.map((one) => JSON.stringify(one));
      demand(whole === streamed, `whole ${whole}, streamed ${streamed}`);
    },
  },
  {
    id: "usage-left",
    says: "A stream whose caller leaves costs no more than the whole of it.",
    pain: "paying for what nobody read",
    feature: "usage",
    async check(trial) {
      const [left, whole] = [await trial.issue({}), await trial.issue({})];
      await leaveStream(trial, { key: left.key, maxTokens: 80 });
      await trial.succeed(
        trial.case(() => answerOf(leftTokens)),
        { key: whole.key, maxTokens: 80 },
      );
      const [one, all] = [await spentAfter(trial, left, 1), await spentAfter(trial, whole, 1)];
      demand(one.money <= all.money, `a stream that was left cost ${one.money}, the whole ${all.money}`);
    },
  },
];

async function hardStop(trial: Trial, allowed: Allowed, calls: number, exactly: number): Promise<void> {
  const { key } = await trial.issue(allowed);
  const { admitted, finish } = await trial.burst(calls, (index) => ({ key, maxTokens: 20, stream: index % 2 === 0 }));
  await finish();
  demand(admitted === exactly, `${admitted} of ${calls} were admitted`);
  const later = await trial.burst(10, () => ({ key, maxTokens: 20 }));
  await later.finish();
  demand(later.admitted === 0, `${later.admitted} more were admitted after them`);
}

/** What was used, when so many calls are told of. */
export async function spentAfter(trial: Trial, { spent }: Issued, calls: number): Promise<Spent> {
  if (spent === undefined) throw new NotOffered("it does not say what was used");
  let latest = await spent();
  await trial.eventually(
    `${calls} calls are told of`,
    async () => {
      latest = await spent();
      return latest.calls >= calls;
    },
    trial.patience.toldMs,
  );
  return latest;
}
