import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { vi } from "vitest";
import { repoRoot } from "../../scripts/repo.ts";

/** Every way into a deployment: what the Workers' tables route, and what the documents say. */

type Table = readonly (readonly [method: string, path: string, handler: unknown])[];

const methods = ["get", "put", "post", "delete", "patch"];

/** Every operation of the tables of routes and of the documents, as `METHOD /path/{part}`. */
export async function everyOperation(): Promise<readonly string[]> {
  // By vitest: the Workers' sources are checked against their own platform's types, which are not Node's.
  const { routes } = await vi.importActual<{ routes: Table }>("../../workers/gateway/src/routes.ts");
  const { operatorRoutes } = await vi.importActual<{ operatorRoutes: Table }>(
    "../../workers/gateway/src/operator-routes.ts",
  );
  const tables = [...routes, ...operatorRoutes].filter(([method]) => method !== "ALL");
  const routed = tables.map(([method, path]) => `${method} ${path.replaceAll(/:([a-z0-9]+)/gi, "{$1}")}`);
  const files = readdirSync(repoRoot).filter((file) => /^openapi.*\.json$/.test(file));
  const said = files.flatMap((file) => {
    const { paths } = JSON.parse(readFileSync(join(repoRoot, file), "utf8")) as { paths: Record<string, object> };
    return Object.entries(paths).flatMap(([path, item]) =>
      methods.filter((method) => method in item).map((method) => `${method.toUpperCase()} ${path}`),
    );
  });
  return [...new Set([...routed, ...said])].sort();
}
