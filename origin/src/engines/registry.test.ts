import { fail } from "@ledge/contract";
import { expect, test } from "vitest";
import { Gate } from "../admit/gate.ts";
import type { Engine } from "./engine.ts";
import { Registry } from "./registry.ts";

function registryOf(...references: string[]): Registry {
  const registry = new Registry();
  for (const reference of references) {
    const [name = "", version = ""] = reference.split("@");
    const model = { name, version, task: "chat" as const, digest: `${reference} digest` };
    const engine: Engine = { model, chat: async () => fail("upstream_failed"), close: async () => {} };
    registry.add({ engine, gate: new Gate({ runningMax: 1, waitingMax: 0 }, () => 0) });
  }
  return registry;
}

function versionOf(registry: Registry, reference: string): string {
  const found = registry.find(reference, "chat");
  return found.ok ? found.value.engine.model.version : found.fault.code;
}

test("a bare name is its highest version, by number", () => {
  const registry = registryOf("a@9", "a@10", "a@2", "ab@99");
  expect(versionOf(registry, "a")).toBe("10");
  expect(versionOf(registry, "a@2")).toBe("2");
});

test("an unknown name, an unknown version and another task are told apart", () => {
  const registry = registryOf("a@1");
  expect(versionOf(registry, "b")).toBe("model_not_found");
  expect(versionOf(registry, "a@2")).toBe("model_not_found");
  expect(registry.find("a", "predict")).toMatchObject({ fault: { code: "unsupported_task" } });
});

test("a package is found by its content, whatever its number is elsewhere, and never another of the same number", () => {
  const registry = registryOf("a@1", "a@2");
  const find = (version: string, digest: string) => registry.findPackage({ model: "a", version, digest }, "chat");
  expect(find("7", "a@2 digest")).toMatchObject({ ok: true, value: { engine: { model: { version: "2" } } } });
  expect(find("1", "other digest")).toMatchObject({ fault: { code: "model_not_found" } });
  expect(registry.findPackage({ model: "b", version: "1", digest: "a@1 digest" }, "chat").ok).toBe(false);
});

test("a model that still loads is not ready rather than not there", () => {
  const registry = registryOf();
  registry.expect("a", "1");
  expect([versionOf(registry, "a"), versionOf(registry, "a@1")]).toEqual(["model_not_ready", "model_not_ready"]);
  expect(versionOf(registry, "a@2")).toBe("model_not_found");
});

test("until it is known which models there will be, none is missing and the origin is not ready", () => {
  const registry = registryOf();
  registry.awaitNames();
  expect([versionOf(registry, "a"), versionOf(registry, "a@1")]).toEqual(["model_not_ready", "model_not_ready"]);
  expect(registry.pending()).toEqual(["*"]);
  registry.known();
  expect(versionOf(registry, "a")).toBe("model_not_found");
  expect(registry.pending()).toEqual([]);
});
