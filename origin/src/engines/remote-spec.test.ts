import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readRemoteSpecs } from "./remote-spec.ts";

const big = { kind: "openai", url: "http://127.0.0.1:8000/v1/", models: [{ name: "big", servedName: "org/Big-8B" }] };

function read(value: unknown, env: Readonly<Record<string, string>> = {}) {
  const faults: string[] = [];
  const ENGINES = typeof value === "string" ? value : JSON.stringify(value);
  return { specs: readRemoteSpecs({ ...env, ENGINES }, faults), faults };
}

test("an address and a name are all that is needed", () => {
  const { specs, faults } = read([big]);
  expect(faults).toEqual([]);
  expect(specs).toMatchObject([
    { url: "http://127.0.0.1:8000/v1", key: undefined, models: [{ version: "1", task: "chat" }], runningMax: 64 },
  ]);
});

test.each(["http://h:8000", "https://h/prefix", "grpc://h:8001", "grpcs://h:8001"])("tensors go to %s", (url) => {
  const { specs, faults } = read([{ kind: "oip", url, models: [{ name: "pair", servedVersion: "3" }] }]);
  expect([faults, specs[0]?.url]).toEqual([[], url]);
});

test("engines may stand in a file", () => {
  const dir = mkdtempSync(join(tmpdir(), "engines-"));
  writeFileSync(join(dir, "engines.json"), JSON.stringify([big]));
  expect(read(join(dir, "engines.json")).specs).toHaveLength(1);
  rmSync(dir, { recursive: true });
});

test("no engines are no fault", () => {
  expect(read("")).toEqual({ specs: [], faults: [] });
});

test.each([
  ["no JSON", "[{", /^ENGINES is not JSON: set it to/],
  ["no file", "/nowhere/engines.json", /^ENGINES names the file \/nowhere\/engines\.json, .*correct the path/],
  ["a kind that there is not", [{ ...big, kind: "vllm" }], /^ENGINES at \[0\]\.kind: .*correct it/],
  ["no address", [{ ...big, url: "localhost:8000" }], /^ENGINES at \[0\]\.url: an address that begins with http:\/\//],
  ["credentials in the address", [{ ...big, url: "http://a:b@h/v1" }], /^ENGINES at \[0\]\.url: .*without credentials/],
  ["a misspelt setting", [{ ...big, keyVar: "K" }], /^ENGINES at \[0\]: .*keyVar/],
  ["no models", [{ ...big, models: [] }], /^ENGINES at \[0\]\.models: /],
  [
    "a name that is none",
    [{ ...big, models: [{ name: "Org/Big" }] }],
    /^ENGINES at \[0\]\.models\[0\]\.name: a model name/,
  ],
  [
    "a variable that is not set",
    [{ ...big, keyVariable: "NO_KEY" }],
    /keyVariable names NO_KEY, which is not set: set it/,
  ],
  ["a model twice", [big, big], /^ENGINES has big@1 twice: give one/],
])("%s is a sentence that says what to type", (_what, value, sentence) => {
  const { faults } = read(value);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatch(sentence);
});

test("a fault about a key does not print it", () => {
  const { faults } = read([{ ...big, keyVariable: "K" }], { K: "hunter2 hunter2" });
  expect(faults).toHaveLength(1);
  expect(faults[0]).not.toContain("hunter2");
});
