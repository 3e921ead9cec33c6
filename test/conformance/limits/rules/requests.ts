import type { Answer } from "../../suite/answer.ts";
import { seen } from "../../suite/answer.ts";
import { demand, Unanswered } from "../../suite/judge.ts";
import { pass } from "../../suite/waiting.ts";
import type { Rule } from "../rule.ts";
import { demandRefusal, retryAfterS, type Trial } from "../trial.ts";

const leak = "limits that leak under bursts";
const falsely = "limits that block falsely";

/** So many requests a minute. */
export const requestRules: readonly Rule[] = [
  {
    id: "requests-exact",
    says: "Of 40 calls at once against 7 a minute exactly 7 are admitted, streams and others alike.",
    pain: leak,
    feature: "requests",
    check: exact,
  },
  {
    id: "requests-unasked",
    says: "What is refused never reaches the origin.",
    pain: "paying for what was refused",
    feature: "requests",
    async check(trial) {
      const { key } = await trial.issue({ requestsPerMinute: 3 });
      const one = trial.case();
      const answers = await Promise.all(Array.from({ length: 12 }, () => trial.ask(one, { key })));
      const [ok, asked] = [admittedOf(answers), one.calls().length];
      demand(ok < 12, "none of 12 calls was refused");
      demand(asked === ok, `${ok} of 12 were answered, and the origin was asked ${asked} times`);
    },
  },
  {
    id: "requests-apart",
    says: "What one key used is not counted against another's limit.",
    pain: falsely,
    feature: "requests",
    async check(trial) {
      const [a, b] = [await trial.issue({ requestsPerMinute: 4 }), await trial.issue({ requestsPerMinute: 4 })];
      await exhaust(trial, a.key, 4);
      const { admitted, finish } = await trial.burst(12, () => ({ key: b.key }));
      await finish();
      demand(admitted >= 4, `of 4 calls of one key ${admitted} were admitted after another key had used its limit`);
    },
  },
  {
    id: "requests-edge",
    says: "A burst before the end of a minute and one after it are not both admitted.",
    pain: "twice the limit around the edge of a window",
    feature: "requests",
    check: edge,
  },
  {
    id: "malformed-free",
    says: "A call that is malformed costs nothing of the limit.",
    pain: falsely,
    feature: "requests",
    async check(trial) {
      const { key } = await trial.issue({ requestsPerMinute: 5 });
      const one = trial.case();
      for (let i = 0; i < 12; i++) {
        const { status } = await trial.ask(one, { key, written: '{"model":' });
        demand(status >= 400 && status < 500, `a body that is no JSON got ${status}`);
      }
      const { admitted, finish } = await trial.burst(12, () => ({ key }));
      await finish();
      demand(admitted >= 5, `after 12 malformed calls ${admitted} of 5 were admitted`);
    },
  },
  {
    id: "retry-after",
    says: "A refusal says Retry-After, and a caller who waits exactly that long is admitted.",
    pain: "callers who come back too early, or much too late",
    feature: "retry-after",
    async check(trial) {
      const { key } = await trial.issue({ requestsPerMinute: 30 });
      const { refused, atMs } = await exhaust(trial, key, 30);
      const waitS = retryAfterS(refused);
      await pass(atMs + waitS * 1_000 - Date.now());
      const again = await trial.ask(trial.case(), { key });
      demand(again.status === 200, `after the ${waitS} s that it was told to wait the caller got ${seen(again)}`);
      trial.note(`${waitS} s`);
    },
  },
  {
    id: "refusal-free",
    says: "A refusal costs nothing: who goes on asking is admitted as soon as who waits.",
    pain: "callers who never get in again once they were refused",
    feature: "retry-after",
    async check(trial) {
      const { key } = await trial.issue({ requestsPerMinute: 30 });
      const { refused, atMs } = await exhaust(trial, key, 30);
      const dueMs = atMs + retryAfterS(refused) * 1_000;
      const one = trial.case();
      let asked = 0;
      for (; Date.now() < dueMs; asked++) {
        // One that is admitted early spends what the caller was waiting for, and there is nothing left to see.
        if ((await trial.ask(one, { key })).status === 200) return;
        await pass(Math.min(100, dueMs - Date.now()));
      }
      const answer = await trial.ask(one, { key });
      demand(answer.status === 200, `after ${asked} refusals in between the caller got ${seen(answer)}`);
    },
  },
];

function admittedOf(answers: readonly Answer[]): number {
  for (const answer of answers) if (answer.status !== 200) demandRefusal(answer);
  return answers.filter(({ status }) => status === 200).length;
}

/** What a limit may admit from full within this time: it fills again while calls come. */
function most(limit: number, tookMs: number, minuteMs: number): number {
  return limit + Math.ceil((limit * tookMs) / minuteMs);
}

async function exact(trial: Trial): Promise<void> {
  const { key } = await trial.issue({ requestsPerMinute: 7 });
  const { admitted, tookMs, finish } = await trial.burst(40, (index) => ({ key, stream: index % 2 === 0 }));
  const answers = await finish();
  const bound = tookMs < trial.minuteMs / 7 ? 7 : most(7, tookMs, trial.minuteMs);
  demand(admitted >= 7 && admitted <= bound, `${admitted} of 40 calls were admitted`);
  const broken = answers.find(({ status, complete }) => status !== 200 || !complete);
  if (broken !== undefined) throw new Unanswered(`one that was admitted got ${seen(broken)}`);
}

/** Uses a key's limit up. The first refusal, and when it came. */
async function exhaust(trial: Trial, key: string, limit: number) {
  const one = trial.case();
  for (let round = 0; round < 4; round++) {
    const answers = await Promise.all(
      Array.from({ length: limit + 5 }, async () => {
        const answer = await trial.ask(one, { key });
        return { answer, atMs: Date.now() };
      }),
    );
    admittedOf(answers.map(({ answer }) => answer));
    const latest = answers.filter(({ answer }) => answer.status !== 200).sort((x, y) => y.atMs - x.atMs)[0];
    if (latest !== undefined) return { refused: latest.answer, atMs: latest.atMs };
  }
  throw new Unanswered(`none of ${4 * (limit + 5)} calls against ${limit} a minute was refused`);
}

/**
 * One call as a minute of the clock begins, so that a window which begins with the first call ends with the clock's; a burst
 * just before both end, and one just after.
 */
async function edge(trial: Trial): Promise<void> {
  const { minuteMs } = trial;
  const { key } = await trial.issue({ requestsPerMinute: 12 });
  const one = trial.case();
  const edgeMs = (Math.floor(Date.now() / minuteMs) + 1) * minuteMs;
  await pass(edgeMs - Date.now());
  await trial.succeed(one, { key });
  await pass(edgeMs + minuteMs * 0.95 - Date.now());
  const startMs = Date.now();
  const burst = () => Promise.all(Array.from({ length: 24 }, () => trial.ask(one, { key })));
  const before = admittedOf(await burst());
  await pass(edgeMs + minuteMs * 1.03 - Date.now());
  const after = admittedOf(await burst());
  const tookMs = Date.now() - startMs;
  const seconds = (tookMs / 1_000).toFixed(1);
  demand(
    before + after <= most(12, tookMs, minuteMs),
    `against 12 a minute ${before} and ${after} were admitted within ${seconds} s around a minute's edge`,
  );
  demand(before >= 11, `of a minute's 12 calls the last ${before} were admitted together, not 11`);
}
