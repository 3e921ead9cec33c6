import { seen } from "../../suite/answer.ts";
import { demand } from "../../suite/judge.ts";
import type { Rule } from "../rule.ts";
import { type Caller, isFor, type Trial } from "../trial.ts";

const leak = "another tenant's answer";

/** Nobody gets what another was told. */
export const tenantRules: readonly Rule[] = [
  {
    id: "other-tenant",
    says: "Another tenant's equal call is never answered with this tenant's answer.",
    pain: leak,
    feature: "exact",
    safety: true,
    async check(trial) {
      const one = trial.case();
      await trial.keep(one);
      demand(!(await trial.hits(one, { caller: "b" })), "tenant b got what the origin told tenant a");
    },
  },
  {
    id: "other-tenant-stream",
    says: "Another tenant's equal stream is never replayed from this tenant's.",
    pain: leak,
    feature: "streams",
    safety: true,
    async check(trial) {
      const one = trial.case();
      await trial.keep(one, { stream: true });
      demand(!(await trial.hits(one, { caller: "b", stream: true })), "tenant b got tenant a's stream");
    },
  },
  {
    id: "other-tenant-flight",
    says: "Equal calls of two tenants at the same time are never answered by one call to the origin.",
    pain: leak,
    feature: "exact",
    safety: true,
    async check(trial) {
      const one = trial.case(({ index }) => ({ kind: "answer", pieces: [`Call ${index} of ${one.id}`] }));
      const callers: Caller[] = ["a", "b", "a", "b", "a", "b"];
      const answers = await Promise.all(callers.map((caller) => trial.succeed(one, { caller })));
      const told = (whom: Caller) => new Set(answers.filter((_, i) => callers[i] === whom).map(({ text }) => text));
      const both = [...told("a")].filter((text) => told("b").has(text));
      demand(both.length === 0, `both tenants were told '${both[0]}'`);
    },
  },
  {
    id: "never-mixed",
    says: "200 different prompts of two tenants at the same time each get the answer to themselves, cold and warm.",
    pain: leak,
    feature: "exact",
    safety: true,
    check: neverMixed,
  },
];

async function neverMixed(trial: Trial): Promise<void> {
  const asked = Array.from({ length: 100 }, () => trial.case()).flatMap((one) =>
    (["a", "b"] as const).map((caller) => ({ one, caller })),
  );
  for (const turn of ["cold", "warm"]) {
    const answers = await Promise.all(
      asked.map(({ one, caller }, i) => trial.succeed(one, { caller, stream: i % 4 < 2 })),
    );
    for (const [i, answer] of answers.entries()) {
      const one = asked[i]?.one;
      demand(one !== undefined && isFor(one, answer), `${turn}: ${one?.id} of ${asked[i]?.caller} got ${seen(answer)}`);
    }
  }
}
