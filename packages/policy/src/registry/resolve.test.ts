import type { RegisteredModel, Rollout } from "@ledge/contract";
import { describe, expect, test } from "vitest";
import { parseModelRef } from "../model-ref.ts";
import { callableVersions, resolveVersion } from "./resolve.ts";

function modelOf(more: Partial<RegisteredModel> = {}, unloaded: readonly string[] = []): RegisteredModel {
  const versions = ["1", "2", "9", "10"].map((version) => ({
    version,
    digest: version,
    state: unloaded.includes(version) ? ("unloaded" as const) : ("ready" as const),
    source: "store" as const,
    createdAtMs: 0,
    manifest: { name: "m" } as RegisteredModel["versions"][number]["manifest"],
  }));
  return { name: "m", policy: { all: {} }, stable: "2", aliases: {}, versions, highestVersion: 10, ...more };
}

const experiment: Rollout = {
  kind: "experiment",
  id: "e",
  startedAtMs: 0,
  limits: { unsureBelow: 0, errorTolerance: 0, slowTolerance: 0, unsureTolerance: 0, dislikedTolerance: 0 },
  arms: [
    { version: "2", weight: 5_000 },
    { version: "9", weight: 5_000 },
  ],
};

function answer(model: RegisteredModel, text: string, stickyKey?: string) {
  const ref = parseModelRef(text);
  if (ref === undefined) throw new Error(`${text} is no reference`);
  const chosen = resolveVersion(model, callableVersions(model), ref, stickyKey);
  return chosen.ok ? chosen.value.version.version : chosen.fault.code;
}

describe("the version policy", () => {
  test.each([
    ["all", { all: {} }, ["1", "2", "9", "10"]],
    ["latest, counted among the ready ones", { latest: { num_versions: 1 } }, ["2", "9"]],
    ["specific", { specific: { versions: [1] } }, ["1", "2"]],
  ])("%s says which versions can be called, beside stable", (_name, policy, expected) => {
    const unloaded = "latest" in policy ? ["10"] : [];
    expect([...callableVersions(modelOf({ policy }, unloaded))]).toEqual(expected);
  });

  test("takes neither aliases nor a rollout's arms away", () => {
    const model = modelOf({ policy: { latest: { num_versions: 1 } }, aliases: { old: "1" }, rollout: experiment });
    expect([...callableVersions(model)]).toEqual(["1", "2", "9", "10"]);
  });
});

describe("a reference", () => {
  test.each([
    ["m", "2"],
    ["m@stable", "2"],
    ["m@latest", "10"],
    ["m@9", "9"],
    ["m@old", "1"],
    ["m@none", "model_not_found"],
    ["m@7", "model_not_found"],
    ["m@constructor", "model_not_found"],
  ])("%s means %s", (text, expected) => {
    expect(answer(modelOf({ aliases: { old: "1" } }), text, "caller")).toBe(expected);
  });

  test("to an unloaded version is not ready, and to one outside the policy is not found", () => {
    const model = modelOf({ policy: { latest: { num_versions: 1 } } }, ["9"]);
    expect(answer(model, "m@9")).toBe("model_not_ready");
    expect(answer(model, "m@1")).toBe("model_not_found");
    expect(answer(model, "m@latest")).toBe("10");
  });

  test("by the bare name is the rollout's to deal, the same caller always the same way", () => {
    const model = modelOf({ rollout: experiment });
    const callers = Array.from({ length: 200 }, (_, i) => `caller ${i}`);
    const dealt = callers.map((caller) => answer(model, "m", caller));
    expect(new Set(dealt)).toEqual(new Set(["2", "9"]));
    expect(callers.map((caller) => answer(model, "m", caller))).toEqual(dealt);
  });

  test("with a version, and a look without a caller, is not the rollout's", () => {
    const model = modelOf({ rollout: experiment });
    for (let i = 0; i < 50; i++) expect(answer(model, "m@stable", `caller ${i}`)).toBe("2");
    expect(answer(model, "m")).toBe("2");
  });
});
