import { buildWorkers } from "../../scripts/edge/build.ts";

/** Before any boundary test: the Workers are built once, as `wrangler deploy` would. */
export default async function setup(): Promise<void> {
  await buildWorkers();
}
