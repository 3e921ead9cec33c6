import { noRollout, type TallyBatch } from "@ledge/contract";
import { emptyArmTally, emptyVersionTally } from "@ledge/policy";
import { expect, test } from "vitest";
import { sqlite as database } from "../../../../../test/support/sqlite.ts";
import { TallyStore } from "./tally-store.ts";

const sqlite = () => database().sql;

const hourMs = 3_600_000;
const arm = { ...emptyArmTally, calls: 8 };

function batch(number: number, more: Partial<TallyBatch> = {}): TallyBatch {
  return { isolate: "one", number, versions: {}, arms: {}, ...more };
}

test("a store that is opened again has what was counted, and knows which batches it has", () => {
  const sql = sqlite();
  const one = batch(1, { versions: { "1": { ...emptyVersionTally, inferenceCount: 3 } }, arms: { r1: { "1": arm } } });
  expect(new TallyStore(sql).add(one, 0)).toBe(true);
  const again = new TallyStore(sql);
  expect(again.add(one, 0)).toBe(false);
  expect(again.all()).toMatchObject({ versions: { "1": { inferenceCount: 3 } }, arms: { r1: { "1": { calls: 8 } } } });
});

test("calls of a rollout stay counted; those of none fade by half an hour", () => {
  const store = new TallyStore(sqlite());
  store.add(batch(1, { arms: { r1: { "1": arm }, [noRollout]: { "1": arm } } }), 0);
  store.add(batch(2, { arms: { r1: { "1": arm }, [noRollout]: { "1": arm } } }), hourMs);
  expect(store.armsOf("r1")["1"]?.calls).toBe(16);
  expect(store.usualOf("1", hourMs)?.calls).toBe(12);
  expect(store.usualOf("1", 2 * hourMs)?.calls).toBe(6);
});

test("only the latest rollouts are kept, what no rollout dealt always", () => {
  const store = new TallyStore(sqlite(), { rolloutsMax: 2, ratedMax: 10 });
  store.addArm(noRollout, "1", arm, 0);
  for (const [at, rollout] of ["r1", "r2", "r3"].entries()) store.addArm(rollout, "1", arm, at + 1);
  expect(Object.keys(store.all().arms).toSorted()).toEqual([noRollout, "r2", "r3"]);
});

test("a request is rated once, and only so many are remembered", () => {
  const store = new TallyStore(sqlite(), { rolloutsMax: 2, ratedMax: 2 });
  expect(["a", "a", "b", "c", "b"].map((request) => store.isFirstRating(request))).toEqual([
    true,
    false,
    true,
    true,
    false,
  ]);
  expect(store.isFirstRating("a")).toBe(true);
});
