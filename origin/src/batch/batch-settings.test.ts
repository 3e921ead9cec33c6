import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readBatchSettings, ruleOf, strangers } from "./batch-settings.ts";

const limits = { rowsMax: 64, waitingMax: 256, runningMax: 1 };
const read = (given: string | undefined) => {
  const faults: string[] = [];
  return { settings: readBatchSettings(given, faults), faults };
};

test("without a setting calls share runs of up to 32 rows, and a model that takes fewer gets fewer", () => {
  const { settings } = read(undefined);
  expect(ruleOf(settings, { name: "embed", version: "1" }, limits)).toMatchObject({ rowsMax: 32, waitingMax: 256 });
  expect(ruleOf(settings, { name: "embed", version: "1" }, { ...limits, rowsMax: 8 })?.rowsMax).toBe(8);
});

test("what is said of a version goes before what is said of its model, and that before what is said of all", () => {
  const { settings } = read(
    '{"*":{"rowsMax":4,"delayMs":1},"embed":{"rowsMax":8},"embed@2":false,"intent@1":{"delayMs":3}}',
  );
  expect(ruleOf(settings, { name: "embed", version: "1" }, limits)).toMatchObject({ rowsMax: 8, delayMsMax: 1 });
  expect(ruleOf(settings, { name: "embed", version: "2" }, limits)).toBeUndefined();
  expect(ruleOf(settings, { name: "intent", version: "1" }, limits)).toMatchObject({ rowsMax: 4, delayMsMax: 3 });
  expect(ruleOf(read('{"*":false}').settings, { name: "any", version: "1" }, limits)).toBeUndefined();
});

test("the setting may be the path of a file", () => {
  const dir = mkdtempSync(join(tmpdir(), "batching-"));
  const path = join(dir, "batching.json");
  writeFileSync(path, '{"embed":false}');
  expect(read(path)).toEqual({ settings: { embed: false }, faults: [] });
  rmSync(dir, { recursive: true });
});

test.each([
  ["nowhere.json", /names the file nowhere\.json, which cannot be read: correct the path/],
  ["{", /not JSON: set it to an object like/],
  ['{"embed":{"rows":4}}', /BATCHING at embed.*rows/],
  ['{"embed":{"rowsMax":0}}', /BATCHING at embed/],
  ['{"embed":{"preferredRows":[8,4]}}', /smallest first/],
  ['{"Em bed":false}', /'\*'/],
])("%s is refused with a sentence that says what to type", (given, says) => {
  const { settings, faults } = read(given);
  expect(settings).toEqual({});
  expect(faults.join("\n")).toMatch(says);
});

test("names of models that are not served are told", () => {
  const { settings } = read('{"*":false,"embed":true,"embed@3":true,"gone":true}');
  expect(strangers(settings, [{ name: "embed", version: "1" }])).toEqual(["embed@3", "gone"]);
});
