import type { Gate } from "./gate.ts";
import { bindingsIn, entrySlips, gatewaySlips } from "./gateway-rules.ts";
import { importCycles, moduleOf } from "./import-graph.ts";
import { packageSlips } from "./package-rules.ts";
import { readSources, repositoryFiles } from "./repository-files.ts";
import { readWorkspaces } from "./workspaces.ts";

const configs = [
  "workers/gateway/wrangler.jsonc",
  "workers/operator/wrangler.jsonc",
  "workers/meter/wrangler.jsonc",
  "workers/semantic/wrangler.jsonc",
];

/** The layout of docs/request-path.md, held: who may import whom, and who may name a binding. */
export const imports: Gate = {
  name: "imports",
  async run() {
    const files = await repositoryFiles();
    const sources = await readSources(
      files.filter((path) => /\.(?:ts|mts|js|mjs)$/.test(path) && !path.endsWith(".d.ts")),
    );
    const modules = sources.map(moduleOf);
    const workspaces = await readWorkspaces(files);
    const bindings = (await readSources(configs)).map(({ path, text }) => ({ path, names: bindingsIn(text) }));
    const names = bindings.flatMap((config) => config.names);
    return [
      ...modules.flatMap((module) => packageSlips(module, workspaces)),
      ...modules.flatMap((module) => gatewaySlips(module, names)),
      ...entrySlips(modules),
      ...importCycles(modules).map((cycle) => `files import one another: ${cycle.join(" → ")}`),
      ...bindings
        .filter((config) => config.names.length === 0)
        .map(({ path }) => `no binding was found in ${path}: this gate is blind`),
    ];
  },
};
