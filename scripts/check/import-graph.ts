import { posix } from "node:path";
import { parseSync } from "rolldown/utils";
import type { SourceFile } from "./repository-files.ts";

/** What one file imports, and every name it mentions: what the rules of the layout are checked on. */

export interface Import {
  /** As written: `./body.ts`, `zod/mini`, `node:fs`. */
  readonly specifier: string;
  /** Where a relative one leads, from the repository's root; absent for packages. */
  readonly target?: string;
  /** Nothing of it is left when the types are stripped. */
  readonly typeOnly: boolean;
}

export interface Module {
  readonly path: string;
  readonly imports: readonly Import[];
  /** Every identifier and every string in the code, comments excepted. */
  readonly names: ReadonlySet<string>;
  /** A parser's complaint, or an import whose target no reader can tell. */
  readonly faults: readonly string[];
}

/** Parses a TypeScript or JavaScript file with the parser that vitest brings. Comments and strings can't mislead it. */
export function moduleOf({ path, text }: SourceFile): Module {
  const parsed = parseSync(path, text);
  const found = new Map<string, boolean>();
  const faults = parsed.errors.map(({ message }) => message);
  const add = (specifier: string, typeOnly: boolean) => {
    found.set(specifier, typeOnly && (found.get(specifier) ?? true));
  };
  for (const { moduleRequest, entries } of parsed.module.staticImports) {
    add(moduleRequest.value, entries.length > 0 && entries.every(({ isType }) => isType));
  }
  for (const { entries } of parsed.module.staticExports) {
    for (const { moduleRequest, isType } of entries) if (moduleRequest) add(moduleRequest.value, isType);
  }
  for (const { moduleRequest } of parsed.module.dynamicImports) {
    const literal = /^(["'`])([^"'`$]*)\1$/.exec(text.slice(moduleRequest.start, moduleRequest.end))?.[2];
    if (literal === undefined) faults.push("imports something that only running it would tell");
    else add(literal, false);
  }
  const names = new Set<string>();
  walk(parsed.program, names, (specifier) => add(specifier, true));
  const imports = [...found].map(([specifier, typeOnly]) => importOf(path, specifier, typeOnly));
  return { path, imports, names, faults };
}

function importOf(path: string, specifier: string, typeOnly: boolean): Import {
  if (!specifier.startsWith(".")) return { specifier, typeOnly };
  return { specifier, typeOnly, target: posix.join(posix.dirname(path), specifier) };
}

/** Collects names and the `import("…")` of types, which the parser's list of imports leaves out. */
function walk(node: unknown, names: Set<string>, typeImport: (specifier: string) => void): void {
  if (Array.isArray(node)) {
    for (const child of node) walk(child, names, typeImport);
    return;
  }
  if (typeof node !== "object" || node === null) return;
  const { type, name, value, source } = node as Record<string, unknown>;
  if (type === "Identifier" && typeof name === "string") names.add(name);
  if (type === "Literal" && typeof value === "string") names.add(value);
  if (type === "TSImportType") typeImport(String((source as { value?: unknown } | undefined)?.value ?? ""));
  for (const child of Object.values(node)) if (typeof child === "object") walk(child, names, typeImport);
}

/** Each ring of files that import one another at run time, once; type imports can't deadlock. */
export function importCycles(modules: readonly Module[]): readonly (readonly string[])[] {
  const targets = new Map(modules.map(({ path, imports }) => [path, runtimeTargets(imports)]));
  const finished = new Set<string>();
  const cycles: string[][] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) cycles.push([...trail.slice(at), path]);
    if (at >= 0 || finished.has(path)) return;
    for (const target of targets.get(path) ?? []) visit(target, [...trail, path]);
    finished.add(path);
  };
  for (const path of targets.keys()) visit(path, []);
  return cycles;
}

/** Everything that a file runs with: itself, what it imports, what that imports. Types bring nothing. */
export function runsWith(modules: readonly Module[], entry: string): readonly string[] {
  const targets = new Map(modules.map(({ path, imports }) => [path, runtimeTargets(imports)]));
  const reached = new Set([entry]);
  for (const path of reached) for (const target of targets.get(path) ?? []) reached.add(target);
  return [...reached];
}

function runtimeTargets(imports: readonly Import[]): readonly string[] {
  return imports.flatMap(({ target, typeOnly }) => (target === undefined || typeOnly ? [] : [target]));
}
