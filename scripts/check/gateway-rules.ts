import { type Import, type Module, runsWith } from "./import-graph.ts";

/**
 * The inner order of the gateway and of the operator, the meter and the semantic Worker, which share a folder: stages know nothing of one another, only
 * `platform/` knows where things are kept, and neither Worker carries what only the other runs.
 */

const root = "workers/gateway/src/";
const stages = ["accept", "admit", "assign", "cache", "dispatch", "observe", "operate"] as const;
/** The composition: the files that may know every stage. */
const composition = [
  "admin-routes.ts",
  "app-chat.ts",
  "app-count.ts",
  "app-fallback.ts",
  "app-guard.ts",
  "app-jobs.ts",
  "app-semantic.ts",
  "app.ts",
  "desks.ts",
  "directory-routes.ts",
  "index.ts",
  "job-runs.ts",
  "look-up.ts",
  "meter.ts",
  "oip-routes.ts",
  "operator-routes.ts",
  "operator-wire.ts",
  "operator.ts",
  "pass-on.ts",
  "routes.ts",
  "semantic.ts",
  "serve.ts",
  "wire.ts",
];
/** Where bindings may be named. */
const bindingHolders = ["env.ts", "wire.ts"];
/** What a Worker's entry may not bring along: the gateway must start fast, and neither does the other's work. */
const keptOut: readonly (readonly [entry: string, out: RegExp])[] = [
  [
    "index.ts",
    /^(?:operate\/|operator|desks\.ts$|(?:admin|directory)-routes\.ts$|platform\/durable\/(?:audit|directory|hot-list|registry|tally))/,
  ],
  ["operator.ts", /^(?:admit|cache)\//],
  ["meter.ts", /^(?!meter\.ts$|platform\/durable\/meter)/],
  ["semantic.ts", /^(?!semantic\.ts$|platform\/durable\/semantic)/],
];

/** What an entry brings along, directly or not, that it may not. */
export function entrySlips(modules: readonly Module[]): readonly string[] {
  return keptOut.flatMap(([entry, out]) =>
    runsWith(modules, root + entry)
      .filter((path) => path.startsWith(root) && out.test(path.slice(root.length)))
      .map((path) => `${root}${entry} brings ${path} into its Worker`),
  );
}

/** What is wrong with a gateway file's imports and names; nothing for files of other packages. Tests may look anywhere. */
export function gatewaySlips(module: Module, bindings: readonly string[]): readonly string[] {
  if (!module.path.startsWith(root) || module.path.endsWith(".test.ts")) return [];
  const place = placeOf(module.path.slice(root.length));
  const says = [
    ...module.imports.flatMap((imported) => importSlips(module.path.slice(root.length), place, imported)),
    ...(place === "platform" ? [] : bindingSlips(module, bindings)),
  ];
  return says.map((what) => `${module.path} ${what}`);
}

type Place = (typeof stages)[number] | "platform" | "composition" | "shared";

function placeOf(file: string): Place {
  const folder = file.split("/")[0];
  if (folder === "platform") return "platform";
  const stage = stages.find((name) => name === folder);
  return stage ?? (composition.includes(file) ? "composition" : "shared");
}

function importSlips(file: string, from: Place, { specifier, target, typeOnly }: Import): readonly string[] {
  if (from === "composition") return [];
  if (/^(?:cloudflare|node):/.test(specifier)) {
    return from === "platform" ? [] : [`imports ${specifier}: only platform/ may`];
  }
  if (target === undefined || !target.startsWith(root)) return [];
  const reached = target.slice(root.length);
  const to = placeOf(reached);
  if (to === from || to === "shared") return [];
  if (from === "platform" && typeOnly && reached.endsWith("/ports.ts")) return [];
  if (file === "env.ts" && typeOnly && to === "platform") return [];
  return [`imports ${reached}: ${whyNot(from, to)}`];
}

function whyNot(from: Place, to: Place): string {
  if (to === "composition") return "the composition imports the parts, never the other way";
  if (from === "platform") return "platform/ may know the types of a stage's ports.ts and no more";
  return to === "platform"
    ? "a stage gets what it needs as a port"
    : "a stage never imports another; app.ts joins them";
}

/** Names, not only `env.X`: a binding taken apart or passed on by its name is named as well. */
function bindingSlips({ path, names }: Module, bindings: readonly string[]): readonly string[] {
  if (bindingHolders.includes(path.slice(root.length))) return [];
  return bindings.filter((name) => names.has(name)).map((name) => `names the binding ${name}: only platform/ may`);
}

/** The bindings in the text of a wrangler.jsonc. Vars are none: they reach the stages through `Config`. */
export function bindingsIn(wranglerJsonc: string): readonly string[] {
  const pairs = wranglerJsonc.matchAll(/"(?:binding|name)"\s*:\s*"([A-Z][A-Z0-9_]*)"/g);
  return [...new Set([...pairs].flatMap(([, name]) => name ?? []))];
}
