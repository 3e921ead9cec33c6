import { describe, expect, it } from "vitest";
import { importCycles, moduleOf } from "./import-graph.ts";

const parse = (text: string, path = "packages/a/src/x.ts") => moduleOf({ path, text });

describe("reading imports", () => {
  it.each([
    ['import { a } from "./y.ts";', false],
    ['import type { A } from "./y.ts";', true],
    ['import { type A } from "./y.ts";', true],
    ['import { type A, b } from "./y.ts";', false],
    ['import "./y.ts";', false],
    ['export * from "./y.ts";', false],
    ['export type { A } from "./y.ts";', true],
    ['const y = await import("./y.ts");', false],
    ['type Y = import("./y.ts").Y;', true],
    ['type Y = typeof import("./y.ts");', true],
    ['import type { A } from "./y.ts"; import { b } from "./y.ts";', false],
  ])("sees %s", (text, typeOnly) => {
    expect(parse(text).imports).toEqual([{ specifier: "./y.ts", typeOnly, target: "packages/a/src/y.ts" }]);
  });

  it("is not misled by comments and strings", () => {
    const text = ['// import "./a.ts";', '/* import("./b.ts") */', "const text = 'import \"./c.ts\"';"].join("\n");
    expect(parse(text).imports).toEqual([]);
  });

  it("faults an import that only running it would tell", () => {
    expect(parse("await import(name);").faults).toHaveLength(1);
    expect(parse("await import(`./$" + "{name}.ts`);").faults).toHaveLength(1);
  });

  it("faults a file that does not parse", () => {
    expect(parse("import {").faults).not.toEqual([]);
  });

  it("collects identifiers and strings but no comment", () => {
    const { names } = parse('/* HIDDEN */ const { KEYS } = env; use(env["ANSWERS"]);');
    expect(names).toContain("KEYS");
    expect(names).toContain("ANSWERS");
    expect(names).not.toContain("HIDDEN");
  });
});

describe("import cycles", () => {
  const files = (texts: Record<string, string>) =>
    Object.entries(texts).map(([path, text]) => moduleOf({ path, text }));

  it("finds a ring of files and names it once", () => {
    const ring = files({
      "a.ts": 'import { b } from "./b.ts";',
      "b.ts": 'import { c } from "./c.ts";',
      "c.ts": 'import { a } from "./a.ts";',
    });
    expect(importCycles(ring)).toEqual([["a.ts", "b.ts", "c.ts", "a.ts"]]);
  });

  it("finds a ring that the entry is no part of", () => {
    const ring = files({ "a.ts": 'import "./b.ts";', "b.ts": 'import "./c.ts";', "c.ts": 'import "./b.ts";' });
    expect(importCycles(ring)).toEqual([["b.ts", "c.ts", "b.ts"]]);
  });

  it("lets types refer to one another", () => {
    const types = files({ "a.ts": 'import type { B } from "./b.ts";', "b.ts": 'import { a } from "./a.ts";' });
    expect(importCycles(types)).toEqual([]);
  });
});
