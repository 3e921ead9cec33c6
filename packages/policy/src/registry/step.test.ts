import { emptyRegistry, type RegistryChange, type RegistryState, type Rollout } from "@ledge/contract";
import { describe, expect, test } from "vitest";
import { canaryOf, manifestOf } from "../../../../test/support/registry-changes.ts";
import { modelNamed, registryStep } from "./step.ts";

const register = (name: string, digest: string): RegistryChange => ({
  kind: "register",
  manifest: manifestOf(name),
  digest,
  source: "store",
});

/** Every change must be taken. */
function after(...changes: readonly RegistryChange[]): RegistryState {
  return changes.reduce((state, change, i) => {
    const step = registryStep(state, change, i);
    if (!step.ok) throw new Error(`${change.kind}: ${JSON.stringify(step.fault)}`);
    return step.value.state;
  }, emptyRegistry);
}

function refusal(state: RegistryState, change: RegistryChange) {
  const step = registryStep(state, change, 0);
  return step.ok ? undefined : step.fault;
}

const two = [register("m", "a"), register("m", "b")];
const setState = (version: string, state: "ready" | "unloaded"): RegistryChange => ({
  kind: "set-state",
  model: "m",
  version,
  state,
});
const remove = (version: string): RegistryChange => ({ kind: "remove", model: "m", version });
const alias = (name: string, version: string | null): RegistryChange => ({
  kind: "set-alias",
  model: "m",
  alias: name,
  version,
});
const stable = (version: string): RegistryChange => ({ kind: "set-stable", model: "m", version });
const start: RegistryChange = { kind: "start-rollout", model: "m", rollout: canaryOf("1", "2") };
const end = (outcome: "promoted" | "rolled-back" | "stopped", id = "r1"): RegistryChange => ({
  kind: "end-rollout",
  model: "m",
  id,
  outcome,
  reason: "because",
});

describe("registering", () => {
  test("makes the first version stable and never moves it afterwards", () => {
    const model = modelNamed(after(...two), "m");
    expect(model?.stable).toBe("1");
    expect(model?.versions.map(({ version }) => version)).toEqual(["1", "2"]);
  });

  test("the same package again gives the same version and changes nothing", () => {
    const state = after(...two);
    const again = registryStep(state, register("m", "a"), 9);
    expect(again.ok && again.value.state).toBe(state);
    expect(again.ok && again.value.audit).toBeUndefined();
  });

  test("keeps what requests need of a manifest, under the version's own number", () => {
    const kept = modelNamed(after(...two), "m")?.versions[1]?.manifest;
    expect(kept?.version).toBe("2");
    expect(kept).not.toHaveProperty("metrics");
  });

  test("takes names that are members of every object", () => {
    const state = after(register("constructor", "a"));
    expect(modelNamed(state, "constructor")?.stable).toBe("1");
    expect(modelNamed(emptyRegistry, "constructor")).toBeUndefined();
  });

  test("numbers are not used twice, not even after the model was removed", () => {
    const gone = after(register("m", "a"), register("m", "b"), remove("2"), setState("1", "unloaded"), remove("1"));
    expect(modelNamed(gone, "m")).toBeUndefined();
    const back = registryStep(gone, register("m", "a"), 0);
    expect(back.ok && modelNamed(back.value.state, "m")?.stable).toBe("3");
  });
});

describe("unloading or removing a version", () => {
  test.each([
    ["stable", setState("1", "unloaded"), "make another version stable first"],
    ["stable", remove("1"), "make another version stable first"],
  ])("that is %s is refused with what to do first", (_need, change, first) => {
    expect(refusal(after(...two), change)).toMatchObject({
      code: "version_in_use",
      detail: expect.stringContaining(first),
    });
  });

  test.each([setState("2", "unloaded"), remove("2")])("that an alias needs is refused: %o", (change) => {
    expect(refusal(after(...two, alias("next", "2")), change)?.detail).toContain("'next'");
  });

  test.each([setState("2", "unloaded"), remove("2")])("that a rollout needs is refused: %o", (change) => {
    expect(refusal(after(...two, start), change)?.detail).toContain("end the rollout first");
  });

  test("works for the last ready one, and takes the model with it when it is the only one", () => {
    const state = after(register("m", "a"), setState("1", "unloaded"));
    expect(modelNamed(state, "m")?.versions[0]?.state).toBe("unloaded");
    expect(refusal(after(register("m", "a")), remove("1"))?.detail).toContain("unload it first");
    expect(modelNamed(after(register("m", "a"), setState("1", "unloaded"), remove("1")), "m")).toBeUndefined();
  });
});

describe("pointers", () => {
  test("stable remembers where it was before", () => {
    expect(modelNamed(after(...two, stable("2")), "m")).toMatchObject({ stable: "2", previousStable: "1" });
  });

  test("point to no unloaded version and to none that is not there", () => {
    const state = after(...two, setState("2", "unloaded"));
    for (const change of [stable("2"), alias("x", "2")]) expect(refusal(state, change)?.code).toBe("registry_conflict");
    for (const change of [stable("7"), alias("x", "7")]) expect(refusal(state, change)?.code).toBe("version_not_found");
    expect(refusal(state, alias("x", null))?.code).toBe("alias_not_found");
  });

  test("a policy names versions that are there", () => {
    const policy = { specific: { versions: [1, 7] } };
    expect(refusal(after(...two), { kind: "set-policy", model: "m", policy })?.code).toBe("version_not_found");
  });
});

describe("a rollout", () => {
  test("promoted makes its candidate stable; ended otherwise it leaves stable as it was", () => {
    expect(modelNamed(after(...two, start, end("promoted")), "m")).toMatchObject({ stable: "2", previousStable: "1" });
    for (const outcome of ["rolled-back", "stopped"] as const) {
      const model = modelNamed(after(...two, start, end(outcome)), "m");
      expect(model?.stable).toBe("1");
      expect(model?.rollout).toBeUndefined();
    }
  });

  test("goes one step on at a time", () => {
    const state = after(...two, start);
    const advance = (step: number): RegistryChange => ({
      kind: "advance-rollout",
      model: "m",
      id: "r1",
      step,
      reason: "",
    });
    const next = registryStep(state, advance(1), 5);
    expect(next.ok && modelNamed(next.value.state, "m")?.rollout).toMatchObject({
      step: 1,
      stepStartedAtMs: 5,
      arms: [{ weight: 0 }, { weight: 10_000 }],
    });
    for (const step of [0, 2]) expect(refusal(state, advance(step))?.code).toBe("registry_conflict");
  });

  test("is not started beside another, nor ended by another's id, nor with stable moved under it", () => {
    const state = after(...two, start);
    expect(refusal(state, start)?.code).toBe("rollout_running");
    expect(refusal(state, stable("2"))?.code).toBe("rollout_running");
    expect(refusal(state, end("stopped", "other"))?.code).toBe("rollout_not_found");
  });

  test.each([
    ["from another version than stable", canaryOf("2", "1"), "stable at 1"],
    ["of one version against itself", canaryOf("1", "1"), "version of its own"],
    ["with steps that shrink", { ...canaryOf("1", "2"), steps: [100, 50, 10_000] } as Rollout, "steps grow"],
    [
      "of weights that are not 100 %",
      {
        ...canaryOf("1", "2"),
        kind: "experiment",
        arms: [
          { version: "1", weight: 1 },
          { version: "2", weight: 1 },
        ],
      } as Rollout,
      "add up",
    ],
  ])("%s is refused", (_what, rollout, says) => {
    expect(refusal(after(...two), { kind: "start-rollout", model: "m", rollout })?.detail).toContain(says);
  });
});
