import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { buildRuntime } from "./build-runtime.ts";
import { importedMemories, unshareGlue, unshareMemory } from "./unshare-runtime.ts";

const dist = join(import.meta.dirname, "..", "node_modules", "onnxruntime-web", "dist");
const wasm = readFileSync(join(dist, "ort-wasm-simd-threaded.wasm"));
const glue = readFileSync(join(dist, "ort.wasm.bundle.min.mjs"), "utf8");

/** Node's types know `WebAssembly` only as a namespace of types. */
const { WebAssembly: webAssembly } = globalThis as unknown as {
  readonly WebAssembly: { validate(bytes: Uint8Array): boolean };
};

describe("the WebAssembly module", () => {
  test("imports one shared memory before the edit and one unshared memory after it, and stays valid", () => {
    const edited = unshareMemory(wasm);
    expect(importedMemories(wasm).map((memory) => memory.flags)).toEqual([3]);
    expect(importedMemories(edited).map((memory) => memory.flags)).toEqual([1]);
    expect(webAssembly.validate(edited)).toBe(true);
  });

  test("differs from the published one in a single byte", () => {
    const edited = unshareMemory(wasm);
    let different = 0;
    for (let at = 0; at < wasm.length; at++) if (edited[at] !== wasm[at]) different++;
    expect(edited.length).toBe(wasm.length);
    expect(different).toBe(1);
  });

  test("is refused when its memory is not shared, when it imports none, and when it is none", () => {
    expect(() => unshareMemory(unshareMemory(wasm))).toThrow(/limits flag to be 3 .* found 1/);
    expect(() => unshareMemory(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]))).toThrow(/found 0/);
    expect(() => unshareMemory(new Uint8Array([1, 2, 3]))).toThrow(/not a WebAssembly module/);
  });
});

describe("the glue", () => {
  test("asks for no shared memory and has no Atomics.waitAsync after the edits", () => {
    const edited = unshareGlue(glue);
    expect(edited).not.toMatch(/shared:/);
    expect(edited).not.toMatch(/Atomics\.waitAsync\b/);
  });

  test("is a module of one function, which gives what the published module exports", () => {
    const edited = unshareGlue(glue);
    expect(edited.match(/\bexport\b/g)).toHaveLength(1);
    expect(edited).toMatch(/^export function createRuntime\(/);
    expect(edited).toMatch(/return\{InferenceSession:\w+,.*\bTensor:\w+,.*\benv:\w+.*\}\}\s*$/);
    expect(() => unshareGlue(glue.replace(/export\{/, "exports{"))).toThrow(/does not end with its exports/);
  });

  test.each([
    ["the runtime's memory", "initial:256", "initial:512"],
    ["the SharedArrayBuffer constructor", "initial:0,maximum:0", "initial:1,maximum:1"],
    ["Atomics.waitAsync", "Atomics.waitAsync", "Atomics.waitElsewhere"],
    ["the WebAssembly module", "let v={numThreads:a};", "let v={numThreads:1};"],
    ["the heap", "1+.2/i", "1+.1/i"],
  ])("is refused in words when the pattern of %s is gone", (what, before, after) => {
    expect(() => unshareGlue(glue.replaceAll(before, after))).toThrow(
      new RegExp(`Expected .*${what} \\d× in the glue, found it 0×. .*pin the version`),
    );
  });

  test("is refused when a pattern appears more often than expected", () => {
    expect(() => unshareGlue(`${glue};Atomics.waitAsync`)).toThrow(/2× in the glue, found it 3×/);
  });
});

describe("the build", () => {
  const folder = mkdtempSync(join(tmpdir(), "ledge-runtime-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test("writes once, skips when up to date, and repairs a damaged output", () => {
    expect(buildRuntime(folder).written).toBe(true);
    expect(buildRuntime(folder).written).toBe(false);
    writeFileSync(join(folder, "ort.mjs"), "torn");
    expect(buildRuntime(folder).written).toBe(true);
    expect(readFileSync(join(folder, "ort.mjs"), "utf8")).toBe(unshareGlue(glue));
  });
});
