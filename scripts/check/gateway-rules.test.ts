import { describe, expect, it } from "vitest";
import { bindingsIn, entrySlips, gatewaySlips } from "./gateway-rules.ts";
import { moduleOf } from "./import-graph.ts";

const bindings = ["KEYS", "METERS"];
const slips = (file: string, text: string) =>
  gatewaySlips(moduleOf({ path: `workers/gateway/src/${file}`, text }), bindings);

describe("the gateway's inner order", () => {
  it.each([
    ["app.ts", 'import { admit } from "./admit/admit.ts";'],
    ["wire.ts", 'import { portsOf } from "./platform/ports-of.ts";'],
    ["admit/admit.ts", 'import { bearer } from "../bearer.ts";'],
    ["admit/admit.ts", 'import { limit } from "./limit.ts";'],
    ["platform/ports-of.ts", 'import type { AnswerStore } from "../cache/ports.ts";'],
    ["platform/durable/meter.ts", 'import { DurableObject } from "cloudflare:workers";'],
    ["env.ts", 'import type { Meter } from "./platform/durable/meter.ts";'],
    ["admit/admit.test.ts", 'import { cache } from "../cache/answers.ts";'],
  ])("%s may hold %s", (file, text) => {
    expect(slips(file, text)).toEqual([]);
  });

  it.each([
    ["a stage that imports another", "admit/admit.ts", 'import { readJson } from "../accept/body.ts";'],
    ["a stage that imports another's types", "cache/answers.ts", 'import type { X } from "../dispatch/ports.ts";'],
    ["a stage that imports the platform", "admit/admit.ts", 'import { digests } from "../platform/digests.ts";'],
    ["a stage that imports the composition", "observe/log.ts", 'import type { Exchange } from "../app.ts";'],
    ["a shared file that imports a stage", "exchange.ts", 'import type { X } from "./cache/ports.ts";'],
    ["platform code that runs a stage", "platform/ports-of.ts", 'import { x } from "../cache/ports.ts";'],
    ["platform code that knows a stage's inside", "platform/config.ts", 'import type { X } from "../admit/limit.ts";'],
    ["platform code that imports the composition", "platform/config.ts", 'import type { X } from "../wire.ts";'],
    ["env.ts running platform code", "env.ts", 'import { Meter } from "./platform/durable/meter.ts";'],
    ["a stage that reaches for the runtime's env", "admit/admit.ts", 'import { env } from "cloudflare:workers";'],
    ["a stage that imports Node", "cache/answers.ts", 'import { createHash } from "node:crypto";'],
  ])("refuses %s", (_what, file, text) => {
    expect(slips(file, text)).toHaveLength(1);
  });
});

describe("what an entry brings into its Worker", () => {
  const modules = (texts: Readonly<Record<string, string>>) =>
    Object.entries(texts).map(([file, text]) => moduleOf({ path: `workers/gateway/src/${file}`, text }));

  it("is refused when it is the other Worker's, however far away it is imported", () => {
    const slips = entrySlips(
      modules({
        "index.ts": 'import "./routes.ts";',
        "routes.ts": 'import "./look-up.ts";',
        "look-up.ts": 'import "./operate/models.ts";',
        "operate/models.ts": "",
        "operator.ts": 'export * from "./cache/answers.ts";',
      }),
    );
    expect(slips).toHaveLength(2);
    expect(slips[0]).toContain("operate/models.ts");
  });

  it("may be known by its types", () => {
    expect(entrySlips(modules({ "index.ts": 'import type { X } from "./operate/models.ts";' }))).toEqual([]);
  });
});

describe("bindings", () => {
  it.each(["env.KEYS.get(id);", "const { KEYS } = env;", 'env["KEYS"].get(id);', "const { KEYS: kept } = env;"])(
    "are found outside platform/ in %s",
    (text) => {
      expect(slips("admit/admit.ts", text)).toHaveLength(1);
      expect(slips("app.ts", text)).toHaveLength(1);
      expect(slips("platform/ports-of.ts", text)).toEqual([]);
    },
  );

  it("may be spoken of in comments", () => {
    expect(slips("admit/admit.ts", "// KEYS holds them")).toEqual([]);
  });

  it("are read from wrangler.jsonc, Durable Objects too, vars and classes not", () => {
    const config = `{
      "name": "ledge-gateway",
      "kv_namespaces": [{ "binding": "KEYS", "id": "ledge-keys" }], // a comment
      "durable_objects": { "bindings": [{ "name": "METERS", "class_name": "Meter" }] },
      "vars": { "ORIGIN_URL": "http://127.0.0.1:8788" }
    }`;
    expect(bindingsIn(config)).toEqual(["KEYS", "METERS"]);
  });
});
