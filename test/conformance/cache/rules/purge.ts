import { cacheStatusOf } from "../../suite/answer.ts";
import { demand, NotOffered } from "../../suite/judge.ts";
import type { Scope } from "../profile.ts";
import type { Rule } from "../rule.ts";
import type { Ask, Case, Trial } from "../trial.ts";

const stuck = "a wrong answer that nobody can take out";

/** What an operator takes out is gone, and nothing else is. */
export const purgeRules: readonly Rule[] = [
  {
    id: "purge-key",
    says: "Purging one entry by its id takes out that entry and no other.",
    pain: stuck,
    feature: "purge",
    async check(trial) {
      const operator = trial.operator();
      const [gone, stays] = [trial.case(), trial.case()];
      const key = cacheStatusOf(await trial.keep(gone))?.key;
      if (key === undefined) throw new NotOffered("no entry says its key");
      await trial.keep(stays);
      await operator.purge({ tenant: trial.target.tenants.a, key });
      await isGone(trial, gone);
      await isThere(trial, stays);
    },
  },
  {
    id: "purge-tag",
    says: "Purging a tag takes out the tenant's entries that carry it and no other.",
    pain: stuck,
    feature: "purge",
    async check(trial) {
      const operator = trial.operator();
      const [gone, stays, theirs] = [trial.case(), trial.case(), trial.case()];
      const tagged: Ask = { wish: { tags: "draft, spring" } };
      await trial.keep(gone, tagged);
      await trial.keep(stays, { wish: { tags: "spring" } });
      await trial.keep(theirs, { ...tagged, caller: "b" });
      await operator.purge({ tenant: trial.target.tenants.a, tag: "draft" });
      await isGone(trial, gone, tagged);
      await isThere(trial, stays, { wish: { tags: "spring" } });
      await isThere(trial, theirs, { ...tagged, caller: "b" });
    },
  },
  {
    id: "purge-tenant",
    says: "Purging a tenant takes out all its entries and no other tenant's.",
    pain: stuck,
    feature: "purge",
    check: (trial) => purges(trial, { tenant: trial.target.tenants.a }, {}, { caller: "b" }),
  },
  {
    id: "purge-model",
    says: "Purging a model takes out its entries and no other model's.",
    pain: stuck,
    feature: "purge",
    check: (trial) => purges(trial, { model: trial.target.otherModel }, { model: trial.target.otherModel }, {}),
  },
  {
    id: "purge-all",
    says: "Purging everything takes out every entry.",
    pain: stuck,
    feature: "purge",
    async check(trial) {
      const operator = trial.operator();
      const [one, other] = [trial.case(), trial.case()];
      await trial.keep(one);
      await trial.keep(other, { caller: "b", stream: true });
      await operator.purge({ all: true });
      await isGone(trial, one);
      await isGone(trial, other, { caller: "b", stream: true });
    },
  },
  {
    id: "rotate-key",
    says: "A tenant's new key leaves the answers kept under the old one readable.",
    pain: "a rotation that empties the cache",
    feature: "shred",
    async check(trial) {
      const operator = trial.operator();
      const one = trial.case();
      const { text } = await trial.keep(one);
      await operator.rotateKey(trial.target.tenants.a);
      const after = await trial.keep(trial.case());
      demand(after.status === 200, "nothing is kept under the new key");
      const kept = await trial.succeed(one);
      demand(kept.text === text, "what was kept under the old key is lost");
    },
  },
  {
    id: "destroy-keys",
    says: "Destroying a tenant's keys makes all its answers unreadable, no other tenant's, and it can begin anew.",
    pain: "answers that outlive the customer they were given to",
    feature: "shred",
    async check(trial) {
      const operator = trial.operator();
      const [gone, stays] = [trial.case(), trial.case()];
      await trial.keep(gone);
      await trial.keep(stays, { caller: "b" });
      await operator.destroyKeys(trial.target.tenants.a);
      await isGone(trial, gone);
      await isThere(trial, stays, { caller: "b" });
      await trial.keep(trial.case());
    },
  },
];

async function purges(trial: Trial, scope: Scope, inside: Ask, outside: Ask): Promise<void> {
  const operator = trial.operator();
  const [gone, stays] = [trial.case(), trial.case()];
  await trial.keep(gone, inside);
  await trial.keep(stays, outside);
  await operator.purge(scope);
  await isGone(trial, gone, inside);
  await isThere(trial, stays, outside);
}

async function isGone(trial: Trial, one: Case, ask: Ask = {}): Promise<void> {
  const startMs = Date.now();
  await trial.eventually("what was purged is gone", async () => !(await trial.hits(one, ask)), trial.patience.purgedMs);
  trial.note(`after ${((Date.now() - startMs) / 1000).toFixed(1)} s`);
}

async function isThere(trial: Trial, one: Case, ask: Ask = {}): Promise<void> {
  demand(await trial.hits(one, ask), "something else was purged as well");
}
