import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import { type Inspector, inspect } from "../inspector.ts";
import { connections } from "../plan.ts";
import { prime, startWorkers, targetsOf, type World } from "../world.ts";

const warmSeconds = 2;
const profileSeconds = 5;
const samplingIntervalUs = 100;
const linesMax = 25;

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly lineNumber: number; readonly url: string };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Writes CPU profiles of the gateway's isolate, for Chrome's or an editor's viewer, and says where the time went. */
export async function writeProfiles(world: World, dir: string): Promise<string> {
  mkdirSync(dir, { recursive: true });
  const inspectorPort = await freePort();
  const workerd = await startWorkers(world, { inspectorPort });
  try {
    const targets = targetsOf(world, workerd);
    await prime(targets);
    const inspector = await inspect(inspectorPort, "ledge-gateway");
    await inspector.call("Profiler.enable");
    await inspector.call("Profiler.setSamplingInterval", { interval: samplingIntervalUs });
    const texts: string[] = [];
    for (const name of ["hit", "chat", "chatStream"] as const) {
      const load = { ...targets[name], connections };
      await world.generator.drive({ ...load, seconds: warmSeconds });
      await inspector.call("Profiler.start");
      const { answers } = await world.generator.drive({ ...load, seconds: profileSeconds });
      const profile = await stop(inspector);
      writeFileSync(join(dir, `${name}.cpuprofile`), JSON.stringify(profile));
      texts.push(`${name}: ${answers} requests, self time in µs per request`, ...selfTimes(profile, answers), "");
    }
    inspector.close();
    return texts.join("\n");
  } finally {
    workerd.close();
  }
}

async function stop(inspector: Inspector): Promise<Profile> {
  const { profile } = await inspector.call<{ readonly profile: Profile }>("Profiler.stop");
  return profile;
}

function selfTimes({ nodes, samples, timeDeltas }: Profile, requests: number): string[] {
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
      id,
      `${functionName === "" ? "(anonymous)" : functionName} ${url === "" ? "" : `${url}:${lineNumber + 1}`}`,
    ]),
  );
  const times = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? "?";
    times.set(name, (times.get(name) ?? 0) + (timeDeltas[index] ?? 0));
  }
  const sorted = [...times].sort(([, a], [, b]) => b - a).slice(0, linesMax);
  return sorted.map(([name, us]) => `${(us / requests).toFixed(1).padStart(8)}  ${name}`);
}
