import { startEdge } from "./ledge.ts";

/** Run by `edge-process.ts`: starts the edge, says where it listens, and stays. */
const edge = await startEdge(JSON.parse(process.argv[2] ?? "{}"));
process.stdout.write(`${edge.url}\n`);
