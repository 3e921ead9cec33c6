import { demand, Unanswered } from "../../suite/judge.ts";
import { gate } from "../../suite/waiting.ts";
import type { Rule } from "../rule.ts";
import { answerOf, type Trial } from "../trial.ts";

const leak = "token limits that leak under bursts";
const falsely = "token limits that stay used up by what was never used";

/** So many tokens a minute. Every rule gives a key 100, so that with prompts of 20 at most it sees what it is about. */
export const tokenRules: readonly Rule[] = [
  {
    id: "tokens-exact",
    says: "Of 50 calls at once that declare 80 tokens each, against 100 a minute, exactly 1 is admitted.",
    pain: leak,
    feature: "tokens",
    async check(trial) {
      const { key } = await trial.issue({ tokensPerMinute: 100 });
      const { admitted, finish } = await trial.burst(50, (index) => ({ key, maxTokens: 80, stream: index % 2 === 0 }));
      await finish();
      demand(admitted === 1, `${admitted} of 50 were admitted`);
    },
  },
  {
    id: "tokens-refused-free",
    says: "A call refused for its tokens costs none: one that fits is admitted beside it.",
    pain: falsely,
    feature: "tokens",
    async check(trial) {
      const { key } = await trial.issue({ tokensPerMinute: 100 });
      const { opened, open } = gate();
      const one = trial.case(() => ({ ...answerOf(5), hold: opened }));
      const first = trial.ask(one, { key, maxTokens: 60 });
      try {
        await trial.eventually("the first call is with the origin", () => one.calls().length === 1);
        const { admitted, finish } = await trial.burst(10, () => ({ key, maxTokens: 60 }));
        await finish();
        demand(admitted === 0, `beside a call of 60 tokens ${admitted} more of 60 were admitted`);
        const small = await trial.ask(trial.case(), { key, maxTokens: 15 });
        demand(small.status === 200, `after 10 refusals one of 15 tokens got status ${small.status}`);
      } finally {
        open();
        await first.catch(() => undefined);
      }
    },
  },
  {
    id: "tokens-counted",
    says: "The tokens of a whole answer count: after 60 of 100, 80 are refused.",
    pain: leak,
    feature: "tokens",
    check: (trial) => counted(trial, false),
  },
  {
    id: "tokens-counted-stream",
    says: "The tokens of a stream count as those of a whole answer, also when the caller did not ask for usage.",
    pain: "streams that nobody counts",
    feature: "tokens",
    check: (trial) => counted(trial, true),
  },
  {
    id: "tokens-settled",
    says: "What a whole answer did not use of what it declared comes back when it has ended.",
    pain: falsely,
    feature: "tokens",
    check: (trial) => settled(trial, false),
  },
  {
    id: "tokens-settled-stream",
    says: "What a stream did not use of what it declared comes back when it has ended.",
    pain: falsely,
    feature: "tokens",
    check: (trial) => settled(trial, true),
  },
  {
    id: "tokens-cancelled",
    says: "A stream whose caller leaves gives back what it did not use.",
    pain: falsely,
    feature: "tokens",
    async check(trial) {
      const { key } = await trial.issue({ tokensPerMinute: 100 });
      await leaveStream(trial, { key, maxTokens: 80 });
      await again(trial, key, "the caller left after the first of 80 tokens");
    },
  },
  {
    id: "tokens-failed",
    says: "A call that fails gives everything back.",
    pain: falsely,
    feature: "tokens",
    async check(trial) {
      const { key } = await trial.issue({ tokensPerMinute: 100 });
      const failing = trial.case(() => ({ kind: "error", status: 500 }));
      const { status } = await trial.ask(failing, { key, maxTokens: 80 });
      demand(status >= 400, `an origin that failed became status ${status}`);
      await again(trial, key, "the first had failed");
    },
  },
];

/** `Unanswered` when nothing that limits tokens is there to be seen. */
async function counted(trial: Trial, stream: boolean): Promise<void> {
  const { key } = await trial.issue({ tokensPerMinute: 100 });
  const one = trial.case(() => answerOf(60));
  await trial.succeed(one, { key, maxTokens: 60, stream });
  // Some gateways count behind the answer; the limit fills again by 80 in less than a minute.
  for (let i = 0; i < 3; i++) {
    const { admitted, finish } = await trial.burst(1, () => ({ key, maxTokens: 80 }));
    await finish();
    demand(admitted === 0, "80 tokens were admitted after 60 of 100 had been used");
  }
}

async function settled(trial: Trial, stream: boolean): Promise<void> {
  const { key } = await trial.issue({ tokensPerMinute: 100 });
  await trial.succeed(trial.case(), { key, maxTokens: 80, stream });
  await again(trial, key, "the first had used 5 of them");
}

/** A call of 60 tokens is admitted after one of 80, long before the limit has filled again by itself. */
async function again(trial: Trial, key: string, after: string): Promise<void> {
  await trial
    .eventually("admitted", async () => (await trial.ask(trial.case(), { key, maxTokens: 60 })).status === 200)
    .catch((error: unknown) => {
      if (error instanceof Unanswered) demand(false, `60 of 100 tokens were refused after ${after}`);
      throw error;
    });
}

/** What a stream would have had whose caller leaves. */
export const leftTokens = 6;

/** A stream that its caller leaves after the first piece; the origin goes on, so that nobody can miss it. */
export async function leaveStream(trial: Trial, ask: { readonly key: string; readonly maxTokens: number }) {
  const { opened, open } = gate();
  const one = trial.case(() => ({ ...answerOf(leftTokens), holdAfterFirst: opened }));
  const leaving = new AbortController();
  const response = await trial.open(one, { ...ask, stream: true, signal: leaving.signal });
  try {
    if (response.status !== 200) throw new Unanswered(`status ${response.status} where a stream was due`);
    await response.body?.getReader().read();
    leaving.abort();
  } finally {
    open();
  }
}
