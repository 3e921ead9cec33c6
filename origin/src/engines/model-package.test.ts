import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readPackages } from "./model-package.ts";

let modelsDir = "";

beforeEach(async () => {
  modelsDir = await mkdtemp(join(tmpdir(), "origin-models-"));
});
afterEach(() => rm(modelsDir, { recursive: true }));

async function writePackage(change: Record<string, unknown> = {}, content = "graph"): Promise<string> {
  const dir = join(modelsDir, "echo", "1");
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, "model.onnx"), content);
  const manifest = {
    name: "echo",
    version: "1",
    task: "chat",
    description: "",
    licence: "Apache-2.0",
    file: { path: "model.onnx", bytes: 5, sha256: createHash("sha256").update("graph").digest("hex") },
    inputs: [],
    outputs: [],
    tiers: ["origin"],
    limits: {},
    ...change,
  };
  await writeFile(join(dir, "model.json"), JSON.stringify(manifest));
  return dir;
}

test("a package whose files are what it says is read", async () => {
  await writePackage();
  expect((await readPackages(modelsDir, undefined)).map((each) => each.manifest.name)).toEqual(["echo"]);
});

test("a package for the edge alone is left out unless it is named", async () => {
  await writePackage({ tiers: ["edge"] });
  expect(await readPackages(modelsDir, undefined)).toEqual([]);
  expect(await readPackages(modelsDir, ["echo"])).toHaveLength(1);
});

test("a changed file is refused by its digest", async () => {
  await writePackage({}, "grapf");
  await expect(readPackages(modelsDir, undefined)).rejects.toThrow(/SHA-256 differs; fetch it again/);
});

test("a missing file is named", async () => {
  const dir = await writePackage();
  await rm(join(dir, "model.onnx"));
  await expect(readPackages(modelsDir, undefined)).rejects.toThrow(/model\.onnx is missing/);
});

test("a manifest may not reach outside its package", async () => {
  await writePackage({ file: { path: "../../../etc/passwd", bytes: 5, sha256: "0".repeat(64) } });
  await expect(readPackages(modelsDir, undefined)).rejects.toThrow(/outside its package/);
});

test("a name without a package and a folder that is not there say what to set", async () => {
  await expect(readPackages(modelsDir, ["ghost"])).rejects.toThrow(/MODELS names 'ghost'/);
  await expect(readPackages(join(modelsDir, "none"), undefined)).rejects.toThrow(/set MODELS_DIR/);
});
