import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { choosePreparer } from "./prepare/choose-preparer.ts";

const models = join(import.meta.dirname, "..", "..", "..", "models");
const folders = readdirSync(models)
  .flatMap((name) => readdirSync(join(models, name)).map((version) => join(models, name, version)))
  .filter((folder) => existsSync(join(folder, "tokens.golden.json")));

const json = (folder: string, name: string) => JSON.parse(readFileSync(join(folder, name), "utf8"));

test.each(folders)("gives the ids that the recipe's tokenizer gave: %s", (folder) => {
  const golden: { text: string; ids: number[] }[] = json(folder, "tokens.golden.json");
  expect(golden.length).toBeGreaterThanOrEqual(200);
  const { preprocess, inputs } = json(folder, "model.json");
  const files = new Map([[preprocess.tokenizer, readFileSync(join(folder, preprocess.tokenizer))]]);
  const preparer = choosePreparer(preprocess, inputs, files);
  if (!preparer.ok) throw new Error(preparer.fault.cause);
  for (const { text, ids } of golden) {
    const row = preparer.value.prepare(text);
    if (!row.ok) throw new Error(row.fault.detail);
    expect(Array.from(row.value.tensors[preprocess.inputs.ids]?.data ?? [], Number), text).toEqual(ids);
  }
});
