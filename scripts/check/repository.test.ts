import { describe, expect, it } from "vitest";
import { dependencySlips } from "./dependencies.ts";
import { sizeFindings } from "./file-size.ts";
import { lockfileGaps, pinnedHosts } from "./lockfile-gaps.ts";
import { fileSlips, leftoversIn } from "./no-leftovers.ts";
import { puritySlips } from "./types.ts";
import { inferenceSlips, lightSlips } from "./worker-bundles.ts";

describe("file size", () => {
  const file = (lines: number) => ({ path: "a.ts", text: "x\n".repeat(lines) });

  it("refuses 401 lines, asks from 251, and takes 250 in silence", () => {
    expect(sizeFindings([file(401)]).tooLong).toHaveLength(1);
    expect(sizeFindings([file(400)])).toEqual({ tooLong: [], long: ["a.ts has 400 lines"] });
    expect(sizeFindings([file(251)]).long).toHaveLength(1);
    expect(sizeFindings([file(250)])).toEqual({ tooLong: [], long: [] });
  });
});

describe("leftovers", () => {
  // Put together here, so that the gate does not find them in this file.
  const of = (...parts: string[]) => leftoversIn({ path: "a.test.ts", text: `fine\n${parts.join("")}` });

  it.each([
    ["a test that silences the others", of("it.on", "ly('x', () => {})")],
    ["a suite that silences the others", of("describe.concurrent.on", "ly('x', () => {})")],
    ["a test that is not written", of("test.to", "do('x')")],
    ["a path on somebody's machine", of('"/ho', 'me/someone/x"')],
    ["a root's path", of("cd /ro", "ot/x")],
    ["an API key", of("ledge_", "a".repeat(43))],
    ["a private key", of("-----BEGIN ", "PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0")],
  ])("finds %s and where it is", (_what, found) => {
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^a\.test\.ts:2 holds /);
  });

  it.each([
    ["a path below another root", of("https://example.com/ho", "me/x")],
    ["an example of a key that is too short", of("ledge_", "a".repeat(20))],
    ["the words by themselves", of("only(this) and todo(that)")],
  ])("passes %s", (_what, found) => {
    expect(found).toEqual([]);
  });

  it("refuses files over 16 MiB and data sets of any size", () => {
    expect(fileSlips({ path: "models/a/1/model.onnx", size: 16 * 1024 * 1024 })).toEqual([]);
    expect(fileSlips({ path: "models/a/1/model.onnx", size: 16 * 1024 * 1024 + 1 })).toHaveLength(1);
    expect(fileSlips({ path: "test/train.CSV", size: 10 })).toHaveLength(1);
  });
});

describe("worker bundles", () => {
  const bundle = (text: string | Uint8Array) => [
    { path: "index.js", bytes: typeof text === "string" ? Buffer.from(text) : text },
  ];
  const noise = (bytes: number) => crypto.getRandomValues(new Uint8Array(65_536)).subarray(0, bytes);

  it.each(["gateway", "operator", "meter", "semantic"] as const)(
    "refuses a Worker that holds onnxruntime and is to run no model: %s",
    (worker) => {
      expect(lightSlips(worker, bundle("import 'onnxruntime-web'"))).toHaveLength(1);
      expect(lightSlips(worker, bundle("export default {}"))).toEqual([]);
    },
  );

  it("refuses a gateway over 80 KiB gzipped, counting every file", () => {
    const half = bundle(noise(50_000));
    expect(lightSlips("gateway", half)).toEqual([]);
    expect(lightSlips("gateway", [...half, ...half])).toHaveLength(1);
  });

  it("refuses an operator Worker over 128 KiB gzipped", () => {
    const most = bundle(noise(60_000));
    expect(lightSlips("operator", [...most, ...most])).toEqual([]);
    expect(lightSlips("operator", [...most, ...most, ...most])).toHaveLength(1);
  });

  it("refuses an inference Worker over 64 MiB", () => {
    expect(inferenceSlips(bundle(new Uint8Array(64 * 1024 * 1024)))).toEqual([]);
    expect(inferenceSlips(bundle(new Uint8Array(64 * 1024 * 1024 + 1)))).toHaveLength(1);
  });

  it("refuses a build that left nothing", () => {
    expect(lightSlips("gateway", [])).toHaveLength(1);
    expect(lightSlips("operator", [])).toHaveLength(1);
    expect(inferenceSlips([])).toHaveLength(1);
  });
});

describe("lockfile", () => {
  const entry = (more: object = {}) => ({ version: "1.0.0", ...more });

  it("misses the optional builds that npm left out", () => {
    const packages = { "": entry(), "node_modules/a": entry({ optionalDependencies: { "a-darwin": "1.0.0" } }) };
    expect(lockfileGaps({ packages })).toEqual([
      { from: "node_modules/a", name: "a-darwin", range: "1.0.0", dev: false },
    ]);
  });

  it("finds a dependency wherever Node would: beside, above, nested", () => {
    const needsB = entry({ dependencies: { b: "^1.0.0" } });
    const b = entry();
    expect(lockfileGaps({ packages: { "node_modules/a": needsB, "node_modules/b": b } })).toEqual([]);
    expect(lockfileGaps({ packages: { "node_modules/a": needsB, "node_modules/a/node_modules/b": b } })).toEqual([]);
    expect(lockfileGaps({ packages: { "workers/a": needsB, "node_modules/b": b } })).toEqual([]);
    expect(lockfileGaps({ packages: { "node_modules/a": needsB, "node_modules/c/node_modules/b": b } })).toHaveLength(
      1,
    );
  });

  it("refuses an entry that names the host it comes from, not a link to a workspace", () => {
    const packages = {
      "node_modules/a": entry({ resolved: "https://example.com/a.tgz" }),
      "node_modules/b": { resolved: "packages/b", link: true },
    };
    expect(pinnedHosts({ packages })).toEqual(["node_modules/a"]);
  });
});

describe("the purity of packages/policy", () => {
  const shown = (compilerOptions: object) => JSON.stringify({ compilerOptions });

  it("holds with lib ES2023 and no types, and with nothing else", () => {
    expect(puritySlips(shown({ lib: ["es2023"], types: [] }))).toEqual([]);
    expect(puritySlips(shown({ lib: ["es2023", "dom"], types: [] }))).toHaveLength(1);
    expect(puritySlips(shown({ lib: ["es2023"], types: ["node"] }))).toHaveLength(1);
    expect(puritySlips(shown({ lib: ["es2023"] }))).toHaveLength(1);
    expect(puritySlips("{}")).toHaveLength(1);
  });
});

describe("dependencies", () => {
  const page = "| package | version |\n| --- | --- |\n| `zod` | 4.6.7 | MIT |\n";
  const slips = (declared: object, text = page) =>
    dependencySlips([{ path: "package.json", text: JSON.stringify({ dependencies: declared }) }], text);

  it("each have a row that says the pinned version", () => {
    expect(slips({ zod: "4.6.7", "@ledge/contract": "0.1.0" })).toEqual([]);
    expect(slips({ zod: "4.6.8" })).toHaveLength(1);
    expect(slips({ zod: "4.6.7", hono: "4.13.19" })).toHaveLength(1);
  });

  it("are pinned exactly", () => {
    expect(slips({ zod: "^4.6.7" })).toHaveLength(1);
    expect(slips({ zod: "latest" })).toHaveLength(1);
  });

  it("leave no row behind", () => {
    expect(slips({})).toEqual(["docs/dependencies.md has a row for zod, which no package declares"]);
  });
});
