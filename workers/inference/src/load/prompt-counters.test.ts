import { fail, ok, type PackageManifest, type PackageRef, packageManifest, type Result } from "@ledge/contract";
import { describe, expect, test } from "vitest";
import type { FoundPackage } from "./find-package.ts";
import { PromptCounters } from "./prompt-counters.ts";

const mebibyte = 1024 * 1024;
const refOf = (name: string): PackageRef => ({ model: name, version: "1", digest: name.padEnd(64, "0") });

/** A package whose words are its tokens; `bytes` is what its manifest says of the tokenizer. */
function packageOf(name: string, bytes: number): PackageManifest {
  const sha256 = "0".repeat(64);
  const inputs = [{ name: "ids", datatype: "INT64", shape: [-1, -1] }];
  return packageManifest.parse({
    name,
    version: "1",
    task: "embedding",
    description: "",
    licence: "none",
    file: { path: "model.onnx", bytes: 50 * mebibyte, sha256 },
    files: [{ path: "tokenizer.json", bytes, sha256 }],
    inputs,
    outputs: [],
    preprocess: { kind: "tokenizer", tokenizer: "tokenizer.json", maxTokens: 64, padId: 0, inputs: { ids: "ids" } },
    tiers: ["edge"],
    limits: {},
  });
}

const tokenizer = {
  version: "1.0",
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: "Whitespace" },
  post_processor: null,
  decoder: null,
  model: { type: "WordLevel", vocab: { a: 0, b: 1, "[UNK]": 2 }, unk_token: "[UNK]" },
};

interface World {
  readonly counters: PromptCounters;
  /** Paths that were read. */
  readonly read: string[];
  nowMs: number;
  find: (ref: PackageRef) => Promise<Result<FoundPackage>>;
}

function world(bytes: (name: string) => number = () => 1_000): World {
  const read: string[] = [];
  const made: World = {
    read,
    nowMs: 0,
    find: async ({ model }) =>
      ok({
        manifest: packageOf(model, bytes(model)),
        files: new Map(),
        read: async ({ path }) => {
          read.push(`${model}/${path}`);
          return ok(new Uint8Array(Buffer.from(JSON.stringify(tokenizer))));
        },
        release: () => undefined,
      }),
    counters: new PromptCounters({
      find: (ref) => made.find(ref),
      bytesMax: 4 * mebibyte,
      now: () => made.nowMs,
      wait: async (ms) => {
        made.nowMs += ms;
        await new Promise(setImmediate);
      },
    }),
  };
  return made;
}

async function countOf(
  { counters }: World,
  name: string,
  texts: readonly string[],
): Promise<number | string | undefined> {
  const count = await counters.get(refOf(name));
  const counted = count.ok ? count.value({ texts }) : count;
  return counted.ok ? counted.value : counted.fault.cause;
}

describe("counting prompts without their model", () => {
  test("reads the tokenizer alone, once, and never the graph", async () => {
    const at = world();
    expect(await countOf(at, "m", ["a b a", "b"])).toBe(4);
    expect(await countOf(at, "m", ["a"])).toBe(1);
    expect(at.read).toEqual(["m/tokenizer.json"]);
  });

  test("of many who come at once one reads, and all are told", async () => {
    const at = world();
    const counts = await Promise.all(Array.from({ length: 50 }, () => countOf(at, "m", ["a b"])));
    expect(new Set(counts)).toEqual(new Set([2]));
    expect(at.read).toHaveLength(1);
  });

  test("goes on when whoever reads it never comes back", async () => {
    const at = world();
    const { find } = at;
    at.find = () => new Promise(() => undefined);
    void countOf(at, "m", ["a"]);
    at.find = find;
    expect(await countOf(at, "m", ["a"])).toBe(1);
    expect(at.nowMs).toBeGreaterThan(5_000);
  });

  test("does not read again for ten seconds what could not be read, and then does", async () => {
    const at = world();
    const { find } = at;
    let asked = 0;
    at.find = async () => {
      asked++;
      return fail("model_not_ready", { cause: "gone" });
    };
    expect([await countOf(at, "m", ["a"]), await countOf(at, "m", ["a"])]).toEqual(["gone", "gone"]);
    expect(asked).toBe(1);
    at.find = find;
    at.nowMs += 10_000;
    expect(await countOf(at, "m", ["a"])).toBe(1);
  });

  test("says why when the store throws", async () => {
    const at = world();
    at.find = () => Promise.reject(new Error("no bucket"));
    expect(await countOf(at, "m", ["a"])).toContain("no bucket");
  });

  test("keeps no more bytes of tokenizers than it may, and lets the least recently used go", async () => {
    const at = world(() => 1.5 * mebibyte);
    for (const name of ["one", "two", "one", "three", "one", "two"]) await countOf(at, name, ["a"]);
    expect(at.read.map((path) => path.split("/")[0])).toEqual(["one", "two", "three", "two"]);
  });

  test("reads no tokenizer that is larger than that", async () => {
    const at = world(() => 5 * mebibyte);
    expect(await countOf(at, "m", ["a"])).toContain("4194304 are kept here");
    expect(at.read).toEqual([]);
  });

  test("tells nothing of a package under another model's name", async () => {
    const at = world();
    await countOf(at, "m", ["a"]);
    expect(await at.counters.get({ ...refOf("m"), model: "other" })).toMatchObject({
      fault: { code: "model_not_found" },
    });
  });
});
