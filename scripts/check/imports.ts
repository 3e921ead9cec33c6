import type { Gate } from "./gate.ts";
import { bindingsIn, gatewaySlips } from "./gateway-rules.ts";
import { importCycles, moduleOf } from "./import-graph.ts";
import { packageSlips } from "./package-rules.ts";
import { readSources, repositoryFiles } from "./repository-files.ts";
import { readWorkspaces } from "./workspaces.ts";

const gatewayConfig = "workers/gateway/wrangler.jsonc";

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
    const [config] = await readSources([gatewayConfig]);
    const bindings = bindingsIn(config?.text ?? "");
    return [
      ...modules.flatMap((module) => packageSlips(module, workspaces)),
      ...modules.flatMap((module) => gatewaySlips(module, bindings)),
      ...importCycles(modules).map((cycle) => `files import one another: ${cycle.join(" → ")}`),
      ...(bindings.length === 0 ? [`no binding was found in ${gatewayConfig}: this gate is blind`] : []),
    ];
  },
};
