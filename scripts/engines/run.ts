import { startServer } from "./server.ts";
import { type ServerName, servers } from "./servers.ts";

/** `node scripts/engines/run.ts NAME`: starts a real server, says where it is, and ends it on Ctrl-C. */
async function main([name = ""]: readonly string[]): Promise<void> {
  if (!isName(name)) {
    process.stderr.write(`'${name}' is no server: name one of ${Object.keys(servers).join(", ")}.\n`);
    process.exitCode = 2;
    return;
  }
  const server = await startServer(await servers[name]());
  process.stdout.write(`${JSON.stringify({ ready: true, http: server.http, grpc: server.grpc })}\n`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void server.close());
}

function isName(name: string): name is ServerName {
  return Object.hasOwn(servers, name);
}

await main(process.argv.slice(2));
