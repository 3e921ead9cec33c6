import { demand, Unanswered } from "../../suite/judge.ts";
import { gate } from "../../suite/waiting.ts";
import type { Rule } from "../rule.ts";
import { answerOf, type Trial } from "../trial.ts";
import { leaveStream } from "./tokens.ts";

const leak = "more calls at once than a limit allows";
const stuck = "places that are never free again";

/** So many calls that have not been answered to their end. */
export const inFlightRules: readonly Rule[] = [
  {
    id: "in-flight-exact",
    says: "Of 30 calls at once against 4 in flight exactly 4 are admitted, and exactly 4 again when those have ended.",
    pain: leak,
    feature: "in-flight",
    async check(trial) {
      const { key } = await trial.issue({ inFlight: 4 });
      for (const round of ["first", "second", "third"]) {
        const { admitted, finish } = await trial.burst(30, (index) => ({ key, stream: index % 2 === 0 }));
        await finish();
        demand(admitted === 4, `of the ${round} 30 calls ${admitted} were admitted`);
        await free(trial, key, "all 4 had ended");
      }
    },
  },
  {
    id: "in-flight-stream",
    says: "A stream is in flight until it ends, not until it begins.",
    pain: leak,
    feature: "in-flight",
    async check(trial) {
      const { key } = await trial.issue({ inFlight: 1 });
      const { opened, open } = gate();
      const one = trial.case(() => ({ ...answerOf(5), holdAfterFirst: opened }));
      const response = await trial.open(one, { key, stream: true });
      try {
        if (response.status !== 200) throw new Unanswered(`status ${response.status} where a stream was due`);
        const reader = response.body?.getReader();
        await reader?.read();
        const { admitted, finish } = await trial.burst(5, () => ({ key }));
        await finish();
        demand(admitted === 0, `beside a stream that went on ${admitted} calls were admitted`);
        open();
        while ((await reader?.read())?.done === false);
      } finally {
        open();
      }
      await free(trial, key, "the stream had ended");
    },
  },
  {
    id: "in-flight-left",
    says: "A caller who leaves a stream leaves its place free.",
    pain: stuck,
    feature: "in-flight",
    async check(trial) {
      const { key } = await trial.issue({ inFlight: 1 });
      await leaveStream(trial, { key, maxTokens: 80 });
      await free(trial, key, "the caller had left");
    },
  },
  {
    id: "in-flight-failed",
    says: "A call that fails leaves its place free.",
    pain: stuck,
    feature: "in-flight",
    async check(trial) {
      const { key } = await trial.issue({ inFlight: 1 });
      for (let i = 0; i < 3; i++) {
        const failing = trial.case(({ index }) => (index % 2 === 1 ? { kind: "error", status: 500 } : { kind: "cut" }));
        for (const stream of [false, true]) {
          const { status } = await trial.ask(failing, { key, stream });
          if (status === 429) demand(false, "a call was refused after another had failed");
        }
      }
      await free(trial, key, "six calls had failed");
    },
  },
];

/** One call is admitted before long. */
async function free(trial: Trial, key: string, after: string): Promise<void> {
  await trial
    .eventually("admitted", async () => (await trial.ask(trial.case(), { key })).status === 200)
    .catch((error: unknown) => {
      if (error instanceof Unanswered) demand(false, `no call was admitted after ${after}`);
      throw error;
    });
}
