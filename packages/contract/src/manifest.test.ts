import { describe, expect, test } from "vitest";
import { modelManifest, packageDocument } from "./manifest.ts";
import { parse } from "./parse.ts";

const manifest = {
  name: "m",
  version: "1",
  task: "tensor",
  description: "",
  licence: "none",
  file: { path: "model.onnx", bytes: 1, sha256: "0".repeat(64) },
  inputs: [
    { name: "x", datatype: "FP32", shape: [-1, 2] },
    { name: "pixels", datatype: "UINT8", shape: [-1, -1, -1] },
    { name: "words", datatype: "BYTES", shape: [-1] },
  ],
  outputs: [],
  tiers: ["edge"],
  limits: {},
};
const places = (count: number) => ({ features: Array.from({ length: count }, () => [0, 1]), threshold: 2 });
const withProfile = (tensors: object) => parse(modelManifest, { ...manifest, profile: { tensors } });

describe("a manifest's profile of tensors", () => {
  test("has a mean and a deviation for each place of an input's last axis, or one of all", () => {
    expect(withProfile({ x: places(2), pixels: places(1) }).ok).toBe(true);
  });

  test.each<[string, object]>([
    ["an input that there is not", { y: places(1) }],
    ["an input of texts", { words: places(1) }],
    ["more places than the last axis has", { x: places(3) }],
    ["places of an axis whose size is free", { pixels: places(2) }],
    ["a deviation of 0", { x: { features: [[0, 0]], threshold: 2 } }],
    ["no numbers", { x: { features: [], threshold: 2 } }],
  ])("is refused for %s", (_what, tensors) => {
    const parsed = withProfile(tensors);
    expect(parsed).toMatchObject({ ok: false });
    if (!parsed.ok) expect(JSON.stringify(parsed.fault.issues)).toContain("profile");
  });

  test("is refused beyond 512 places in all, since every gateway holds it", () => {
    const wide = (count: number) => {
      const names = Array.from({ length: count }, (_, i) => `x${i}`);
      const inputs = names.map((name) => ({ name, datatype: "FP32", shape: [-1, 256] }));
      const tensors = Object.fromEntries(names.map((name) => [name, places(256)]));
      return parse(modelManifest, { ...manifest, inputs, profile: { tensors } });
    };
    expect(wide(2).ok).toBe(true);
    expect(wide(3).ok).toBe(false);
  });

  test("does not change what tells one package from another", () => {
    const [bare, profiled] = [{}, { x: places(2) }].map(withProfile);
    if (bare?.ok !== true || profiled?.ok !== true) throw new Error("both are manifests");
    expect(packageDocument(profiled.value)).toBe(packageDocument(bare.value));
  });
});

describe("a model that an engine serves", () => {
  const { file: _file, ...bare } = manifest;
  const served = { ...bare, task: "chat", inputs: [], served: { revision: "a" }, tiers: ["origin"] };
  const documentOf = (value: unknown) => {
    const parsed = parse(modelManifest, value);
    if (!parsed.ok) throw new Error("it is a manifest");
    return packageDocument(parsed.value);
  };

  test("has no graph, and a revision by which its weights are told from others", () => {
    expect(documentOf({ ...served, version: "2", description: "told otherwise" })).toBe(documentOf(served));
    expect(documentOf({ ...served, served: { revision: "b" } })).not.toBe(documentOf(served));
  });

  test.each<[string, object]>([
    ["with a graph of its own", { file: manifest.file }],
    ["with files", { files: [manifest.file] }],
    ["at the edge", { tiers: ["edge", "origin"] }],
    ["that labels texts, which no engine's surface says", { task: "text-classification" }],
    ["nowhere", { served: undefined }],
  ])("is none %s", (_what, more) => {
    expect(parse(modelManifest, { ...served, ...more }).ok).toBe(false);
  });
});
