import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Tokenizer } from "@huggingface/tokenizers";
import { expect, test } from "vitest";
import { repoRoot } from "../../scripts/repo.ts";

const models = join(repoRoot, "models");
const folders = readdirSync(models)
  .flatMap((name) => readdirSync(join(models, name)).map((version) => join(models, name, version)))
  .filter((folder) => existsSync(join(folder, "tokens.golden.json")));

const json = (folder: string, name: string) => JSON.parse(readFileSync(join(folder, name), "utf8"));

test.each(folders)("the JavaScript tokenizer gives the ids that the recipe's gave: %s", (folder) => {
  const golden: { text: string; ids: number[] }[] = json(folder, "tokens.golden.json");
  const tokenizer = new Tokenizer(json(folder, "tokenizer.json"), {});
  expect(golden.length).toBeGreaterThanOrEqual(200);
  const { maxTokens } = json(folder, "model.json").preprocess;
  for (const { text, ids } of golden) {
    const found = tokenizer.encode(text).ids;
    // The cut keeps the last special token.
    const cut = found.length <= maxTokens ? found : [...found.slice(0, maxTokens - 1), ...found.slice(-1)];
    expect({ text, ids: cut }).toEqual({ text, ids });
  }
});
