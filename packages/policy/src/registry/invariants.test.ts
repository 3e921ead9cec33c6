import { emptyRegistry, type RegistryChange, type RegistryState, type VersionPolicy } from "@ledge/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canaryOf, manifestOf } from "../../../../test/support/registry-changes.ts";
import { callableVersions } from "./resolve.ts";
import { modelNamed, registryStep } from "./step.ts";

const version = fc.constantFrom("1", "2", "3", "4", "9");
const model = fc.constantFrom("m", "n");
const anyChange: fc.Arbitrary<RegistryChange> = fc.oneof(
  fc.record({
    kind: fc.constant("register" as const),
    manifest: model.map(manifestOf),
    digest: fc.constantFrom("a", "b", "c", "d"),
    source: fc.constant("store" as const),
  }),
  fc.record({
    kind: fc.constant("set-state" as const),
    model,
    version,
    state: fc.constantFrom("ready" as const, "unloaded" as const),
  }),
  fc.record({ kind: fc.constant("remove" as const), model, version }),
  fc.record({
    kind: fc.constant("set-alias" as const),
    model,
    alias: fc.constantFrom("x", "y"),
    version: fc.oneof(version, fc.constant(null)),
  }),
  fc.record({
    kind: fc.constant("set-policy" as const),
    model,
    policy: fc.constantFrom<VersionPolicy>(
      { all: {} },
      { latest: { num_versions: 1 } },
      { specific: { versions: [1, 2] } },
    ),
  }),
  fc.record({ kind: fc.constant("set-stable" as const), model, version }),
  fc.record({
    kind: fc.constant("start-rollout" as const),
    model,
    rollout: fc.tuple(version, version).map(([from, to]) => canaryOf(from, to)),
  }),
  fc.record({
    kind: fc.constant("advance-rollout" as const),
    model,
    id: fc.constantFrom("r1", "r2"),
    step: fc.integer({ min: 0, max: 2 }),
    reason: fc.constant(""),
  }),
  fc.record({
    kind: fc.constant("end-rollout" as const),
    model,
    id: fc.constantFrom("r1", "r2"),
    outcome: fc.constantFrom("promoted" as const, "rolled-back" as const, "stopped" as const),
    reason: fc.constant(""),
  }),
  fc.record({ kind: fc.constant("set-hot" as const), digests: fc.subarray(["a", "b"]) }),
);

const stateOf = (state: RegistryState, name: string, number: string) =>
  modelNamed(state, name)?.versions.find((known) => known.version === number)?.state;

function checkPointers(state: RegistryState): void {
  for (const [name, one] of Object.entries(state.models)) {
    const pointed = [...Object.values(one.aliases), ...(one.rollout?.arms ?? []).map((arm) => arm.version)];
    for (const number of pointed) {
      expect(stateOf(state, name, number)).toBe("ready");
      expect(callableVersions(one)).toContain(number);
    }
    expect(stateOf(state, name, one.stable)).toBeDefined();
    if (stateOf(state, name, one.stable) === "ready") expect(callableVersions(one)).toContain(one.stable);
    expect(Math.max(...one.versions.map((known) => Number(known.version)))).toBeLessThanOrEqual(one.highestVersion);
  }
}

/** Nothing but its own unloading, as the last ready version, makes stable not callable. */
function checkStable(before: RegistryState, next: RegistryState, change: RegistryChange): void {
  for (const [name, one] of Object.entries(next.models)) {
    const was = modelNamed(before, name);
    if (was === undefined || stateOf(before, name, was.stable) !== "ready") continue;
    if (stateOf(next, name, one.stable) === "ready") continue;
    expect(change).toMatchObject({ kind: "set-state", model: name, version: one.stable, state: "unloaded" });
    expect(one.versions.every((known) => known.state === "unloaded")).toBe(true);
  }
}

describe("in whatever order changes come", () => {
  test("stable, aliases and arms name versions that are there and callable; numbers only grow; a refusal changes nothing", () => {
    fc.assert(
      fc.property(fc.array(anyChange, { maxLength: 60 }), (changes) => {
        let state = emptyRegistry;
        const given = new Set<string>();
        for (const [i, change] of changes.entries()) {
          const text = JSON.stringify(state);
          const step = registryStep(state, change, i);
          expect(JSON.stringify(state)).toBe(text);
          if (!step.ok) continue;
          const { state: next, audit } = step.value;
          expect(next.number).toBe(state.number + (audit === undefined ? 0 : 1));
          expect(audit === undefined).toBe(next === state);
          if (change.kind === "register" && audit !== undefined) {
            const numbered = `${change.manifest.name}@${(audit.to as { version: string }).version}`;
            expect(given).not.toContain(numbered);
            given.add(numbered);
          }
          checkPointers(next);
          checkStable(state, next, change);
          state = next;
        }
      }),
      { numRuns: 500 },
    );
  });

  test("the same changes at the same times make the same registry", () => {
    fc.assert(
      fc.property(fc.array(anyChange, { maxLength: 30 }), (changes) => {
        const run = () =>
          changes.reduce((state, change, i) => {
            const step = registryStep(state, change, i);
            return step.ok ? step.value.state : state;
          }, emptyRegistry);
        expect(run()).toEqual(run());
      }),
    );
  });
});
