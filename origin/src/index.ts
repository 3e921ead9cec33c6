import { readConfig } from "./config.ts";
import { StartError } from "./engines/model-package.ts";
import { startOrigin } from "./server.ts";
import { usage } from "./settings.ts";

/** Starts the origin as a process. Exit status: 0 after a drain, 1 when it cannot start, 2 for a wrong argument. */
async function main(args: readonly string[]): Promise<void> {
  if (args.includes("--help") || args.includes("-h")) return void process.stdout.write(usage);
  if (args.length > 0) return leave(2, [`'${args[0]}' is no argument of the origin: run it with --help.`]);
  const config = readConfig(process.env);
  if (!config.ok) return leave(1, config.faults);
  try {
    const origin = await startOrigin(config.value);
    let stopping = false;
    const stop = () => {
      if (stopping) return;
      stopping = true;
      void origin.stop().then(() => process.exit(0));
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
    process.stdout.write(`${JSON.stringify({ ready: true, url: origin.url })}\n`);
  } catch (error) {
    if (error instanceof StartError) return leave(1, [error.message]);
    throw error;
  }
}

function leave(status: number, sentences: readonly string[]): void {
  process.stderr.write(`${sentences.join("\n")}\n`);
  process.exitCode = status;
}

await main(process.argv.slice(2));
