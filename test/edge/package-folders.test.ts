import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ModelsAnswer } from "@ledge/contract";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { registerPackages } from "../../scripts/local/packages.ts";
import { startEdge, type TestEdge } from "../support/ledge.ts";
import { admin, deskOf, echoInference, manifestOf } from "../support/registry.ts";

/** What `npm start` does with the folders under models/. */

const modelsDir = mkdtempSync(join(tmpdir(), "ledge-models-"));
let edge: TestEdge;
let lines: string[];

beforeAll(async () => {
  edge = await startEdge({ standIns: { inference: echoInference } });
});
beforeEach(() => {
  lines = [];
});
afterAll(async () => {
  await edge.close();
  rmSync(modelsDir, { recursive: true, force: true });
});

function writePackage(name: string, version: string, manifest: string, bytes: string): void {
  const folder = join(modelsDir, name, version);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "model.json"), manifest);
  writeFileSync(join(folder, "model.onnx"), bytes);
}

const register = () => registerPackages(deskOf(edge), modelsDir, (line) => lines.push(line));

test("package folders are registered in the order of their numbers, for the edge and for the origin alone, with a line each", async () => {
  for (const version of ["10", "9"]) {
    writePackage("words", version, JSON.stringify(manifestOf("words", `words ${version}`)), `words ${version}`);
  }
  writePackage("far", "1", JSON.stringify(manifestOf("far", "far", { tiers: ["origin"] })), "far");
  await register();
  expect(lines).toEqual(["far@1 is registered.", "words@1 is registered.", "words@2 is registered."]);
  const { models } = (await admin(edge, "GET", "/models")).body as ModelsAnswer;
  const words = models.find(({ name }) => name === "words");
  expect(words?.versions.map(({ manifest }) => manifest.file?.bytes)).toEqual(["words 9".length, "words 10".length]);
});

test("registered again they change nothing and say nothing", async () => {
  const before = (await admin(edge, "GET", "/models")).body;
  await register();
  expect(lines).toEqual([]);
  expect((await admin(edge, "GET", "/models")).body).toEqual(before);
});

test("a package that cannot be registered is told with the reason, and keeps none of the others out", async () => {
  writePackage("a-broken-one", "1", JSON.stringify(manifestOf("a-broken-one", "x")), "x");
  writePackage("a-lie", "1", JSON.stringify(manifestOf("a-lie", "what it says")), "what it is");
  writePackage("junk", "1", "{", "x");
  writePackage("zebra", "1", JSON.stringify(manifestOf("zebra", "zebra")), "zebra");
  await register();
  expect(lines).toEqual([
    expect.stringMatching(/a-broken-one.* is left out: the package was refused with 422: .*no such operator/),
    expect.stringMatching(/a-lie.* is left out: model\.onnx was refused with 422/),
    expect.stringMatching(/junk.* is left out: /),
    "zebra@1 is registered.",
  ]);
});
