import { demand } from "../../suite/judge.ts";
import type { Rule } from "../rule.ts";
import type { Ask, Trial } from "../trial.ts";

const frozen = "one roll of the dice served for ever";

/** An answer that is drawn by chance is only kept when somebody asks for it. */
export const sampledRules: readonly Rule[] = [
  {
    id: "sampled-fresh",
    says: "A sampled answer (temperature above 0 or none given, no seed) is not kept unless the caller asks for it.",
    pain: frozen,
    feature: "sampled",
    check: async (trial) => {
      for (const temperature of [0.7, undefined]) {
        const one = trial.case();
        const ask: Ask = { body: { temperature } };
        for (let call = 1; call <= 3; call++) {
          const { text } = await trial.succeed(one, ask);
          demand(text === `Answer ${call} to ${one.id}.`, `temperature ${temperature}: call ${call} got '${text}'`);
        }
      }
    },
  },
  {
    id: "sampled-apart",
    says: "Equal sampled calls at the same time each get an answer of their own.",
    pain: frozen,
    feature: "sampled",
    check: async (trial) => {
      const one = trial.case();
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => trial.succeed(one, { body: { temperature: 1 } })),
      );
      const different = new Set(answers.map(({ text }) => text)).size;
      demand(different === 5, `5 calls got ${different} different answers`);
    },
  },
  {
    id: "sampled-asked",
    says: "A sampled answer is kept when the caller asks for it by giving it a life.",
    pain: "sampled answers that can't be cached at all",
    feature: "ttl",
    check: async (trial) => {
      await trial.keep(trial.case(), { body: { temperature: 0.7 }, wish: { ttl: "60" } });
    },
  },
  {
    id: "seeded",
    says: "A call with a seed is kept at any temperature, and another seed is another call.",
    pain: "caches that never hit",
    feature: "sampled",
    check: seeded,
  },
];

async function seeded(trial: Trial): Promise<void> {
  const one = trial.case();
  await trial.keep(one, { body: { temperature: 0.7, seed: 1 } });
  demand(!(await trial.hits(one, { body: { temperature: 0.7, seed: 2 } })), "seed 2 got seed 1's answer");
}
