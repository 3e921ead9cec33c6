import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type PackageManifest, packageManifest, parse } from "@ledge/contract";
import { describe, expect, test } from "vitest";
import { repoRoot } from "../../scripts/repo.ts";

const models = join(repoRoot, "models");
const names = readdirSync(models).filter((name) => name !== "recipes");
const packages = names.flatMap((name) =>
  readdirSync(join(models, name)).map((version) => [name, version, join(models, name, version)] as const),
);

function manifestIn(folder: string): PackageManifest {
  const manifest = parse(packageManifest, JSON.parse(readFileSync(join(folder, "model.json"), "utf8")));
  if (!manifest.ok) throw new Error(JSON.stringify(manifest.fault.issues));
  return manifest.value;
}

describe.each(packages)("the package %s %s", (name, version, folder) => {
  test("says its own name and version, and every file it lists is there with its size and SHA-256", () => {
    const { file, files = [], ...manifest } = manifestIn(folder);
    expect([manifest.name, manifest.version]).toEqual([name, version]);
    for (const { path, bytes, sha256 } of [file, ...files]) {
      const content = readFileSync(join(folder, path));
      expect([path, content.length, createHash("sha256").update(content).digest("hex")]).toEqual([path, bytes, sha256]);
    }
  });

  test("has a card with data, licence, metrics and limits, and the recipe that made it, pinned", () => {
    const card = readFileSync(join(folder, "CARD.md"), "utf8");
    for (const part of ["Data", "icence", "Metrics", "Limits"]) expect(card).toContain(part);
    const pinned = readFileSync(join(folder, "recipe", "requirements.txt"), "utf8")
      .trim()
      .split("\n");
    for (const line of pinned.filter((one) => !one.startsWith("#"))) expect(line).toMatch(/^[\w.-]+==[\w.+-]+$/);
    expect(existsSync(join(folder, "recipe", "README.md"))).toBe(true);
  });
});

test("the edge model is int8 in at most 1.5 MB, and has 151 labels", () => {
  const folder = join(models, "intent", "1");
  const { file, tiers } = manifestIn(folder);
  expect(statSync(join(folder, file.path)).size).toBeLessThanOrEqual(1_500_000);
  expect(tiers).toEqual(["edge", "origin"]);
  expect(JSON.parse(readFileSync(join(folder, "labels.json"), "utf8"))).toHaveLength(151);
});

test("the chat model is int8 in at most 15 MB, with weights a Llama engine can load beside it", () => {
  const folder = join(models, "tiny-chat", "1");
  expect(statSync(join(folder, manifestIn(folder).file.path)).size).toBeLessThanOrEqual(15_000_000);
  expect(JSON.parse(readFileSync(join(folder, "config.json"), "utf8"))).toMatchObject({
    model_type: "llama",
    architectures: ["LlamaForCausalLM"],
  });
  const weights = readFileSync(join(folder, "model.safetensors"));
  const header = JSON.parse(weights.subarray(8, 8 + Number(weights.readBigUInt64LE(0))).toString());
  expect(Object.keys(header)).toContain("model.layers.0.self_attn.q_proj.weight");
});

test.each([
  ["intent", "2", 151, 16_000_000],
  ["guard", "1", 3, 10_000_000],
  ["same-answer", "1", 2, 17_000_000],
] as const)(
  "the transformer %s %s is int8, runs on the edge, and has %i labels in at most %i bytes",
  (name, version, labels, most) => {
    const folder = join(models, name, version);
    const { file, tiers, preprocess, postprocess } = manifestIn(folder);
    expect(statSync(join(folder, file.path)).size).toBeLessThanOrEqual(most);
    expect(tiers).toEqual(["edge", "origin"]);
    expect(JSON.parse(readFileSync(join(folder, "labels.json"), "utf8"))).toHaveLength(labels);
    expect([preprocess?.kind, postprocess?.kind]).toEqual(["tokenizer", "softmax-labels"]);
    // The products of an int8 graph start from quantised activations; a float32 one has none.
    expect(readFileSync(join(folder, file.path)).includes("QuantizeLinear")).toBe(true);
  },
);

test("the pairs that the verifier is judged by are at least 2,400, 300 of them by hand, in every group, and none twice", () => {
  const lines = readFileSync(join(models, "same-answer", "1", "test-pairs.txt"), "utf8")
    .trim()
    .split("\n");
  const pairs: { a: string; b: string; same: boolean; group: string; by: string }[] = lines.map((line) =>
    JSON.parse(line),
  );
  expect(pairs.length).toBeGreaterThanOrEqual(2400);
  expect(pairs.filter(({ by }) => by === "hand").length).toBeGreaterThanOrEqual(300);
  for (const by of ["hand", "generator"]) {
    const groups = pairs.filter((pair) => pair.by === by).map(({ group }) => group);
    expect(new Set(groups)).toEqual(new Set(["paraphrase", "near-miss", "polarity", "number", "entity", "reversal"]));
  }
  expect(pairs.filter(({ same, group }) => same !== (group === "paraphrase"))).toEqual([]);
  expect(new Set(pairs.map(({ a, b }) => [a, b].toSorted().join("\n"))).size).toBe(pairs.length);
});
