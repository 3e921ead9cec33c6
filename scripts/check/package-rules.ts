import type { Import, Module } from "./import-graph.ts";
import { ownerOf, type Workspace } from "./workspaces.ts";

/** Which package of ours may import which: `contract ← policy ← gateway, origin`, and so on. One way, no way back. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  "@ledge/contract": [],
  "@ledge/policy": ["@ledge/contract"],
  "@ledge/pipeline": ["@ledge/contract"],
  "@ledge/gateway": ["@ledge/contract", "@ledge/policy"],
  "@ledge/identity": ["@ledge/contract", "@ledge/policy"],
  "@ledge/dispatch": ["@ledge/contract", "@ledge/policy"],
  "@ledge/jobs": ["@ledge/contract", "@ledge/policy"],
  "@ledge/inference": ["@ledge/contract", "@ledge/policy", "@ledge/pipeline"],
  "@ledge/background": ["@ledge/contract", "@ledge/policy"],
  "@ledge/origin": ["@ledge/contract", "@ledge/policy", "@ledge/pipeline"],
  "@ledge/sdk": ["@ledge/contract"],
  "@ledge/cli": ["@ledge/contract", "@ledge/pipeline", "@ledge/sdk"],
  "@ledge/dashboard": ["@ledge/contract", "@ledge/sdk"],
};

/** The few relative imports that may leave a package: data that is shipped with it, and what builds it. */
const mayLeave: readonly (readonly [from: RegExp, to: RegExp])[] = [
  [/^workers\/gateway\/src\/shipped\.ts$/, /^models\/[^/]+\/\d+\/[\w.-]+\.json$/],
  [/^workers\/gateway\/src\/(?:operator-)?routes\.ts$/, /^openapi(?:-[a-z]+)?\.json$/],
  [/^workers\/inference\//, /^models\//],
  [/^workers\/inference\/build-runtime\.ts$/, /^scripts\/build-runtime\.ts$/],
  [/^packages\/cli\/src\/measure\/wasm-process\.ts$/, /^scripts\/build-runtime\.ts$/],
  // What is measured is what runs.
  [/^packages\/cli\/worker\/index\.ts$/, /^workers\/inference\/src\/(?:load|run)\/[\w-]+\.ts$/],
  [/^scripts\/bench\/parts\/limits\.ts$/, /^workers\/gateway\/src\/(?:admit\/(?:limit|ports)|exchange)\.ts$/],
  [/^scripts\/bench\/parts\/cache-memory\.ts$/, /^workers\/gateway\/src\/cache\/(?:memory|ports)\.ts$/],
  [/\.test\.ts$/, /^test\/support\//],
];

/** Packages that run anywhere: nothing of Node's or Cloudflare's is there. */
const anywhere = /^packages\/(?!cli\/)/;

/** What is wrong with a file's imports between packages. `workspaces` as {@link readWorkspaces} gives them. */
export function packageSlips(module: Module, workspaces: readonly Workspace[]): readonly string[] {
  const owner = ownerOf(module.path, workspaces);
  if (owner === undefined) return [`${module.path} belongs to no package`];
  const says = module.imports.flatMap(
    (imported) =>
      relativeSlip(module.path, imported, owner, workspaces) ??
      builtinSlip(module.path, imported) ??
      packageSlip(module.path, imported, owner, workspaces) ??
      [],
  );
  return [...module.faults, ...says].map((what) => `${module.path} ${what}`);
}

function relativeSlip(path: string, { target }: Import, owner: Workspace, workspaces: readonly Workspace[]) {
  if (target === undefined) return undefined;
  if (ownerOf(target, workspaces) === owner && !target.startsWith("../")) return [];
  if (mayLeave.some(([from, to]) => from.test(path) && to.test(target))) return [];
  // The root's own tests look into packages from outside; its programs use what packages export.
  if (owner.dir === "" && /^test\/|\.test\.ts$/.test(path) && !target.startsWith("../")) return [];
  return [`leaves its package for ${target}`];
}

function builtinSlip(path: string, { specifier }: Import) {
  if (!/^(?:node|cloudflare):/.test(specifier)) return undefined;
  return anywhere.test(path) && !path.endsWith(".test.ts") ? [`imports ${specifier}, but must run anywhere`] : [];
}

function packageSlip(path: string, { specifier, target }: Import, owner: Workspace, workspaces: readonly Workspace[]) {
  if (target !== undefined) return undefined;
  const name = packageName(specifier);
  if (workspaces.some((workspace) => workspace.name === name)) return ownSlip(owner, name);
  const root = workspaces.find(({ dir }) => dir === "");
  const declared = owner.declared.has(name) || (path.endsWith(".test.ts") && root?.declared.has(name) === true);
  return declared ? [] : [`uses ${name}, which the package.json of ${owner.name} does not declare`];
}

function ownSlip(owner: Workspace, name: string) {
  // Scripts and tests stand above all packages.
  if (owner.dir === "") return [];
  if (mayImport[owner.name] === undefined)
    return [`belongs to ${owner.name}, which scripts/check/package-rules.ts lacks`];
  if (!mayImport[owner.name]?.includes(name)) return [`imports ${name}: the layers go the other way`];
  return owner.declared.has(name) ? [] : [`uses ${name}, which the package.json of ${owner.name} does not declare`];
}

function packageName(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}
