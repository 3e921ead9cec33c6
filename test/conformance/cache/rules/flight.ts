import type { Answer } from "../../suite/answer.ts";
import { seen } from "../../suite/answer.ts";
import { demand } from "../../suite/judge.ts";
import { gate } from "../../suite/waiting.ts";
import type { Rule } from "../rule.ts";
import type { Ask, Case, Trial } from "../trial.ts";

const stampede = "a thousand equal calls that pay a thousand times";
const dragged = "a caller failed by somebody else's call";

/** Equal misses at the same time are one flight, and nobody in it is worse off than alone. */
export const flightRules: readonly Rule[] = [
  ...[false, true].map(
    (stream): Rule => ({
      id: stream ? "one-flight-stream" : "one-flight",
      says: `A hundred equal ${stream ? "streams" : "calls"} at the same time ask the origin once, and all are answered.`,
      pain: stampede,
      feature: "one-flight",
      check: (trial) => oneCall(trial, { stream }),
    }),
  ),
  {
    id: "flight-live",
    says: "Who joins a stream in flight sees it as it comes, from its first piece.",
    pain: stampede,
    feature: "one-flight",
    check: joinedLive,
  },
  ...[false, true].map(
    (stream): Rule => ({
      id: stream ? "leader-leaves-stream" : "leader-leaves",
      says: `When the caller who came first leaves${stream ? " its stream" : ""}, everybody behind it is still answered.`,
      pain: dragged,
      feature: "exact",
      safety: true,
      check: (trial) => leaderLeaves(trial, stream),
    }),
  ),
  {
    id: "leader-fails",
    says: "When the first call to the origin fails, callers behind it that a second call could serve are served.",
    pain: dragged,
    feature: "one-flight",
    check: leaderFails,
  },
  {
    id: "leader-hangs",
    says: "When the first call to the origin hangs, callers behind it are answered within their deadline by another.",
    pain: dragged,
    feature: "one-flight",
    check: leaderHangs,
  },
];

async function oneCall(trial: Trial, ask: Ask): Promise<void> {
  const landing = gate();
  const one = trial.case(({ index }) => ({
    kind: "answer",
    pieces: ["Call", ` ${index}`, ` of ${one.id}`],
    hold: landing.opened,
  }));
  const calls = Array.from({ length: 100 }, () => trial.succeed(one, ask));
  try {
    await trial.eventually("the origin is asked", () => one.calls().length > 0);
    // The others must have come while the first is in the air; a call of another case, sent behind them, has passed them.
    await trial.succeed(trial.case());
  } finally {
    landing.open();
  }
  const answers = await Promise.all(calls);
  const [first] = answers;
  demand(one.calls().length === 1, `the origin was asked ${one.calls().length} times`);
  const others = answers.filter(({ text }) => text !== first?.text).length;
  demand(others === 0, `${others} of 100 got another answer`);
}

async function joinedLive(trial: Trial): Promise<void> {
  const rest = gate();
  const pieces = ["First", " second", " third"];
  const one = trial.case(() => ({ kind: "answer", pieces, holdAfterFirst: rest.opened }));
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), trial.patience.otherMs);
  const ask: Ask = { stream: true, signal: giveUp.signal };
  try {
    const early = await Promise.all([trial.open(one, ask), firstPiece(one, trial, ask)]);
    demand(one.calls().length === 1, `the origin was asked ${one.calls().length} times`);
    await early[0].body?.cancel();
  } finally {
    clearTimeout(timer);
    rest.open();
  }
}

/** Reads until the first piece is there; the rest is not waited for. */
async function firstPiece(one: Case, trial: Trial, ask: Ask): Promise<void> {
  await trial.eventually("the origin is asked", () => one.calls().length > 0);
  const response = await trial.open(one, ask);
  const decoder = new TextDecoder();
  let got = "";
  try {
    for await (const bytes of response.body ?? []) {
      got += decoder.decode(bytes, { stream: true });
      if (got.includes("First")) return;
    }
  } catch {
    // Nothing came: what follows says so.
  }
  demand(false, "who joined saw nothing while the stream was held in its middle");
}

async function leaderLeaves(trial: Trial, stream: boolean): Promise<void> {
  const landing = gate();
  const one = trial.case(() => ({
    kind: "answer",
    pieces: ["All", " of it."],
    ...(stream ? { holdAfterFirst: landing.opened } : { hold: landing.opened }),
  }));
  const leaving = new AbortController();
  const leader = trial.ask(one, { stream, signal: leaving.signal }).catch(() => undefined);
  try {
    await trial.eventually("the origin is asked", () => one.calls().length > 0);
    const waiters = Array.from({ length: 8 }, () => trial.ask(one, { stream }));
    await trial.succeed(trial.case());
    leaving.abort();
    await leader;
    await trial.succeed(trial.case());
    landing.open();
    allServed(await Promise.all(waiters), "All of it.");
  } finally {
    landing.open();
  }
}

async function leaderFails(trial: Trial): Promise<void> {
  const landing = gate();
  const one = trial.case(({ index }) =>
    index === 1
      ? { kind: "error", status: 500, hold: landing.opened }
      : { kind: "answer", pieces: ["The second time it worked."] },
  );
  const leader = trial.ask(one);
  try {
    await trial.eventually("the origin is asked", () => one.calls().length > 0);
    const waiters = Array.from({ length: 8 }, () => trial.ask(one));
    await trial.succeed(trial.case());
    landing.open();
    await leader;
    allServed(await Promise.all(waiters), "The second time it worked.");
  } finally {
    landing.open();
  }
}

async function leaderHangs(trial: Trial): Promise<void> {
  const one = trial.case(({ index }) =>
    index === 1 ? { kind: "hang" } : { kind: "answer", pieces: ["The second did not hang."] },
  );
  const leaving = new AbortController();
  const leader = trial.ask(one, { signal: leaving.signal }).catch(() => undefined);
  try {
    await trial.eventually("the origin is asked", () => one.calls().length > 0);
    const startedMs = Date.now();
    allServed(await Promise.all(Array.from({ length: 4 }, () => trial.ask(one))), "The second did not hang.");
    trial.note(`after ${((Date.now() - startedMs) / 1000).toFixed(1)} s`);
  } finally {
    leaving.abort();
    await leader;
  }
}

function allServed(answers: readonly Answer[], text: string): void {
  const failed = answers.filter((answer) => answer.status !== 200 || !answer.complete || answer.text !== text);
  const [example] = failed;
  demand(example === undefined, `${failed.length} of ${answers.length} behind it got ${example && seen(example)}`);
}
