import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { featureHashing } from "./prepare/feature-hashing.schema.ts";
import { featureHasher } from "./prepare/feature-hashing.ts";

/** The recipe's own ids (Python) against ours: a feature that differs would give confident nonsense. */
interface Golden {
  readonly generated: readonly { readonly text: string; readonly ids: readonly number[] }[];
  readonly digested: readonly { readonly text: string; readonly sha256: string }[];
  /** Digests of the utterances of the split, in file order. */
  readonly clinc150: { readonly split: "test"; readonly count: number; readonly sha256: readonly string[] };
}

const root = join(import.meta.dirname, "..", "..", "..");
const readJson = (path: string) => JSON.parse(readFileSync(path, "utf8"));
const golden: Golden = readJson(join(root, "models", "intent", "1", "features.golden.json"));
const manifest = readJson(join(root, "models", "intent", "1", "model.json"));
const featurize = featureHasher(featureHashing.parse(manifest.preprocess));

const folder = process.env.LEDGE_DATA;
const data = folder === undefined || folder === "" ? undefined : join(folder, "clinc150.json");
const howToGet =
  "Needs the public data set CLINC150: put data_full.json of clinc/oos-eval (GitHub) as clinc150.json into a folder and " +
  "set LEDGE_DATA to it.";

/** First 16 hex characters of SHA-256 over the ids as little-endian 32-bit integers. */
function digest(text: string): string {
  const ids = featurize(text);
  const bytes = Buffer.alloc(ids.length * 4);
  for (const [at, id] of ids.entries()) bytes.writeInt32LE(id, at * 4);
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}

describe("the features of intent 1", () => {
  test("are the recipe's on 1,000 generated texts", () => {
    expect(golden.generated.length + golden.digested.length).toBe(1000);
    for (const { text, ids } of golden.generated) expect(Array.from(featurize(text))).toEqual(ids);
    for (const { text, sha256 } of golden.digested) expect(digest(text), text).toBe(sha256);
  });

  test("are the recipe's on 1,000 utterances of CLINC150", ({ skip }) => {
    if (data === undefined) {
      if (process.env.CI === "true") throw new Error(howToGet);
      console.warn(`Skipped: the parity test on CLINC150. ${howToGet}`);
      return skip(howToGet);
    }
    const { split, count, sha256 } = golden.clinc150;
    const utterances: readonly [string, string][] = readJson(data)[split];
    expect(count).toBe(1000);
    for (const [index, expected] of sha256.entries()) {
      expect(digest(utterances[index]?.[0] ?? "")).toBe(expected);
    }
  });
});
