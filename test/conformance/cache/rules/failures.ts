import { seen } from "../../suite/answer.ts";
import { demand } from "../../suite/judge.ts";
import type { Turn } from "../../suite/mock-origin.ts";
import { gate } from "../../suite/waiting.ts";
import type { Rule } from "../rule.ts";
import { type Ask, type Case, isFor, type Trial } from "../trial.ts";

const poisoned = "a failure kept and replayed";
const half = "half an answer taken for a whole one";

/** Only complete successes are kept. */
export const failureRules: readonly Rule[] = [
  ...[400, 429, 500, 503].map(
    (status): Rule => ({
      id: `error-${status}`,
      says: `An origin's ${status} is never replayed as a success, nor kept.`,
      pain: poisoned,
      feature: "exact",
      safety: true,
      check: (trial) => neverKept(trial, { kind: "error", status }),
    }),
  ),
  {
    id: "error-stream",
    says: "An origin's refusal of a stream is never replayed as a success, nor kept.",
    pain: poisoned,
    feature: "streams",
    safety: true,
    check: (trial) => neverKept(trial, { kind: "error", status: 500 }, { stream: true }),
  },
  {
    id: "recovery",
    says: "An origin that has recovered is asked by the very next call, and that answer is kept.",
    pain: poisoned,
    feature: "exact",
    async check(trial) {
      let down = true;
      const one = trial.case(({ index }) =>
        down ? { kind: "error", status: 500 } : { kind: "answer", pieces: [`Up again, call ${index}`] },
      );
      const failed = await trial.ask(one);
      demand(failed.status >= 400, `the origin said 500, the caller got ${seen(failed)}`);
      down = false;
      const up = await trial.succeed(one);
      demand(up.text.startsWith("Up again"), `the origin is up, the caller got ${seen(up)}`);
      await trial.keep(one);
    },
  },
  {
    id: "cut-whole",
    says: "A whole answer that breaks off is a failure for its caller and is never kept.",
    pain: half,
    feature: "exact",
    safety: true,
    check: (trial) => neverKept(trial, { kind: "cut" }),
  },
  {
    id: "cut-stream",
    says: "A stream that breaks off never ends with [DONE] and is never kept, for streams or for whole answers.",
    pain: half,
    feature: "streams",
    safety: true,
    check: (trial) => neverKept(trial, { kind: "cut" }, { stream: true }),
  },
  {
    id: "silent-end",
    says: "A stream that ends without saying why is never kept.",
    pain: half,
    feature: "streams",
    safety: true,
    check: (trial) => neverKept(trial, { kind: "silent-end" }, { stream: true }),
  },
  {
    id: "error-event",
    says: "A stream that ends with an error event never ends with [DONE] and is never kept.",
    pain: half,
    feature: "streams",
    safety: true,
    check: (trial) => neverKept(trial, { kind: "error-event" }, { stream: true }),
  },
  {
    id: "caller-left",
    says: "A stream whose caller leaves in the middle never leaves half an answer behind.",
    pain: half,
    feature: "streams",
    safety: true,
    check: callerLeft,
  },
  {
    id: "past-deadline",
    says: "A stream that its deadline cuts short never ends with [DONE] and is never kept.",
    pain: half,
    feature: "deadline",
    safety: true,
    check: pastDeadline,
  },
];

/** While the origin does this no caller is told of a success; afterwards the good answer comes. */
async function neverKept(trial: Trial, turn: Turn, ask: Ask = {}): Promise<void> {
  let broken = true;
  const one = trial.case(() => (broken ? turn : { kind: "answer", pieces: ["Whole"] }));
  for (let call = 0; call < 2; call++) {
    const failed = await trial.ask(one, ask).catch(() => undefined);
    const told = failed === undefined || failed.status !== 200 || !failed.complete;
    demand(told, `call ${call + 1} of a broken origin got ${failed === undefined ? "" : seen(failed)}`);
  }
  broken = false;
  await allWhole(trial, one, "Whole");
}

async function allWhole(trial: Trial, one: Case, text: string): Promise<void> {
  for (const stream of [true, false]) {
    const good = await trial.succeed(one, { stream });
    demand(good.text === text, `the origin has a whole answer, a ${stream ? "stream" : "call"} got ${seen(good)}`);
  }
}

async function callerLeft(trial: Trial): Promise<void> {
  const rest = gate();
  const whole = ["One", " two", " three"];
  const one = trial.case(({ index }) => ({
    kind: "answer",
    pieces: whole,
    ...(index === 1 ? { holdAfterFirst: rest.opened } : {}),
  }));
  const leaving = new AbortController();
  try {
    const response = await trial.open(one, { stream: true, signal: leaving.signal });
    await response.body?.getReader().read();
    leaving.abort();
    // When another call has come and gone, the gateway knows who left.
    await trial.succeed(trial.case());
    // Who comes now may be led by the call that was left, so that has to go on.
    const next = allWhole(trial, one, whole.join(""));
    rest.open();
    await next;
  } finally {
    leaving.abort();
    rest.open();
  }
  await allWhole(trial, one, whole.join(""));
}

async function pastDeadline(trial: Trial): Promise<void> {
  const rest = gate();
  let slow = true;
  const one = trial.case(() => ({
    kind: "answer",
    pieces: [`Slow or not, this is for case ${one.id}`, " and whole"],
    ...(slow ? { holdAfterFirst: rest.opened } : {}),
  }));
  try {
    const ask: Ask = { stream: true, wish: { timeoutMs: "700" } };
    const late = await trial.ask(one, ask).catch(() => undefined);
    demand(late === undefined || late.status !== 200 || !late.complete, `a late stream got ${late && seen(late)}`);
    slow = false;
    rest.open();
    const good = await trial.succeed(one);
    demand(isFor(one, good) && good.text.endsWith("and whole"), `the next caller got ${seen(good)}`);
  } finally {
    rest.open();
  }
}
