import { writeFileSync } from "node:fs";
import { readMachine } from "../bench/machine.ts";
import { buildWorkers } from "../edge/build.ts";
import { hasPython, needsPython } from "../python-venv.ts";
import { type Options, readOptions, usage } from "./options.ts";
import { reportText, slipsOf } from "./report.ts";
import { runSuite } from "./suite.ts";
import { startWorld } from "./world.ts";

/** `npm run chaos`: see docs/resilience.md for what is measured. */

const say = (line: string) => process.stderr.write(`${line}\n`);

async function chaos(options: Options): Promise<number> {
  const machine = readMachine();
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(130);
      say("Stopping; once more ends at once …");
      stop.abort();
    });
  }
  if (options.engine && !(await hasPython())) {
    say(`KServe ${needsPython}. Install python3, or type 'npm run chaos -- --no-engine' for chats alone.`);
    return 1;
  }
  if (options.build) {
    say("Building the Workers …");
    await buildWorkers();
  }
  const { seed, callers, floodCallers, cases } = options;
  const world = await startWorld({ seed, engine: options.engine, say });
  try {
    const all = await runSuite({
      world,
      seed,
      callers,
      floodCallers,
      cases,
      rhythm: { calmMs: 3_000, faultMs: 1_000 * options.seconds, wellMs: 2_000, recoverMsMax: 60_000 },
      randomMs: 60_000 * options.minutes,
      say,
      signal: stop.signal,
    });
    const { cpu, cores, memoryGiB, node, loadBefore } = machine;
    console.log(`${cpu}, ${cores} cores, ${memoryGiB} GiB, Node ${node}, load before ${loadBefore}\n`);
    console.log(reportText(all));
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify({ machine, seed, all }, null, 2)}\n`);
    const slips = slipsOf(all);
    for (const slip of slips) say(slip);
    if (stop.signal.aborted) return 130;
    return slips.length === 0 ? 0 : 1;
  } finally {
    await world.close();
  }
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) console.log(usage);
  else process.exitCode = await chaos(options);
} catch (error) {
  say(`npm run chaos: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
