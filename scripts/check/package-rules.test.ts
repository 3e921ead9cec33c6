import { describe, expect, it } from "vitest";
import { moduleOf } from "./import-graph.ts";
import { packageSlips } from "./package-rules.ts";
import type { Workspace } from "./workspaces.ts";

const workspaces: readonly Workspace[] = [
  { name: "@ledge/inference", dir: "workers/inference", declared: new Set(["@ledge/contract", "@ledge/pipeline"]) },
  { name: "@ledge/gateway", dir: "workers/gateway", declared: new Set(["@ledge/contract", "@ledge/policy", "hono"]) },
  { name: "@ledge/contract", dir: "packages/contract", declared: new Set(["zod"]) },
  { name: "@ledge/policy", dir: "packages/policy", declared: new Set(["@ledge/contract"]) },
  { name: "@ledge/pipeline", dir: "packages/pipeline", declared: new Set([]) },
  { name: "@ledge/new", dir: "packages/new", declared: new Set(["@ledge/contract"]) },
  { name: "ledge", dir: "", declared: new Set(["vitest", "rolldown"]) },
];

const slips = (path: string, specifier: string) =>
  packageSlips(moduleOf({ path, text: `import { a } from "${specifier}";` }), workspaces);

describe("imports between packages", () => {
  it.each([
    ["packages/policy/src/a.ts", "@ledge/contract"],
    ["packages/contract/src/a.ts", "zod/mini"],
    ["packages/contract/src/a.ts", "./b.ts"],
    ["packages/policy/src/a.test.ts", "vitest"],
    ["packages/policy/src/a.test.ts", "../../../test/support/clock.ts"],
    ["workers/gateway/src/shipped.ts", "../../../models/intent/1/model.json"],
    ["workers/gateway/src/routes.ts", "../../../openapi.json"],
    ["workers/gateway/src/operator-routes.ts", "../../../openapi-operator.json"],
    ["workers/inference/src/load/models.ts", "../../../../models/intent/1/model.onnx"],
    ["scripts/check/a.ts", "@ledge/contract"],
    ["scripts/check/a.ts", "node:fs"],
    ["scripts/generate/a.test.ts", "../../workers/gateway/src/routes.ts"],
    ["test/edge/a.test.ts", "../support/clock.ts"],
    ["test/origin/conformance.ts", "../../origin/src/engine.ts"],
    ["workers/inference/build-runtime.ts", "../../scripts/build-runtime.ts"],
  ])("%s may import %s", (path, specifier) => {
    expect(slips(path, specifier)).toEqual([]);
  });

  it.each([
    ["a layer below one above", "packages/contract/src/a.ts", "@ledge/policy"],
    ["policy from pipeline", "packages/pipeline/src/a.ts", "@ledge/policy"],
    ["the gateway from the inference Worker", "workers/inference/src/a.ts", "@ledge/gateway"],
    ["policy from the inference Worker", "workers/inference/src/a.ts", "@ledge/policy"],
    ["a layer that package.json does not declare", "packages/pipeline/src/a.ts", "@ledge/contract"],
    ["a dependency that package.json does not declare", "workers/gateway/src/a.ts", "zod/mini"],
    ["a scoped dependency that is not declared", "workers/gateway/src/a.ts", "@scope/name/part"],
    ["the root's dependencies outside tests", "packages/policy/src/a.ts", "vitest"],
    ["another package's file", "packages/policy/src/a.ts", "../../contract/src/b.ts"],
    ["a file above the repository", "scripts/a.ts", "../../elsewhere.ts"],
    ["a file above the repository from a test", "test/edge/a.test.ts", "../../../elsewhere.ts"],
    ["a script from what a Worker runs", "workers/inference/src/index.ts", "../../../scripts/build-runtime.ts"],
    ["a package's file from a script", "scripts/a.ts", "../packages/contract/src/b.ts"],
    ["models from another file of the gateway", "workers/gateway/src/app.ts", "../../../models/intent/1/model.json"],
    ["weights from the gateway", "workers/gateway/src/shipped.ts", "../../../models/intent/1/model.onnx"],
    ["Node from a package that must run anywhere", "packages/policy/src/a.ts", "node:crypto"],
    ["Cloudflare from a package that must run anywhere", "packages/contract/src/a.ts", "cloudflare:workers"],
    ["anything of ours from a package that has no place yet", "packages/new/src/a.ts", "@ledge/contract"],
  ])("refuses %s", (_what, path, specifier) => {
    expect(slips(path, specifier)).toHaveLength(1);
  });

  it("refuses what no reader can tell", () => {
    const module = moduleOf({ path: "packages/policy/src/a.ts", text: "await import(name);" });
    expect(packageSlips(module, workspaces)).toHaveLength(1);
  });
});
