import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sourceDigest } from "./sources.ts";

let root: string;
const write = (path: string, text: string) => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sources-"));
  for (const path of [
    "workers/gateway/src/index.ts",
    "packages/policy/src/pace.ts",
    "models/intent/1/model.onnx",
    "scripts/build-runtime.ts",
    "scripts/unshare-runtime.ts",
    "node_modules/.package-lock.json",
  ]) {
    write(path, path);
  }
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

describe("the digest of what the Workers are built from", () => {
  it.each([
    ["a Worker's source", "workers/gateway/src/index.ts"],
    ["a Worker's settings", "workers/gateway/wrangler.jsonc"],
    ["a package's source", "packages/policy/src/new.ts"],
    ["a model that ships", "models/intent/1/model.onnx"],
    ["a build script", "scripts/build-runtime.ts"],
    ["what is installed", "node_modules/.package-lock.json"],
  ])("changes with %s", (_what, path) => {
    const before = sourceDigest(root);
    write(path, "changed");
    expect(sourceDigest(root)).not.toBe(before);
  });

  it("changes when a file is moved", () => {
    const before = sourceDigest(root);
    rmSync(join(root, "packages/policy/src/pace.ts"));
    write("packages/policy/src/paces.ts", "packages/policy/src/pace.ts");
    expect(sourceDigest(root)).not.toBe(before);
  });

  it("stays with tests and with what the build itself writes", () => {
    const before = sourceDigest(root);
    write("packages/policy/src/pace.test.ts", "a test");
    write("workers/inference/runtime/ort.wasm", "output");
    write("workers/gateway/.wrangler/tmp/x.js", "output");
    expect(sourceDigest(root)).toBe(before);
  });
});
