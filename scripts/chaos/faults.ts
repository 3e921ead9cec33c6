import { type Random, randomOf } from "../simulate/random.ts";
import { type LoadOptions, startLoad } from "./callers.ts";
import type { Party } from "./parties.ts";
import { chatBody } from "./questions.ts";
import type { Weather } from "./wire.ts";
import { directHeaders, type Target, type World } from "./world.ts";

export const faultNames = ["kill", "freeze", "slow", "half-close", "reset", "blackhole", "flood"] as const;
export type FaultName = (typeof faultNames)[number];

/** A fault that has begun. Its end resolves when what failed is whole again, as far as those who run it can tell. */
export interface Begun {
  end(): Promise<void>;
}

export interface FaultDeps {
  readonly world: World;
  readonly random: Random;
  /** Callers of a flood. */
  readonly floodCallers: number;
  /** Of the calls of a flood through the edge. */
  readonly ended: LoadOptions["ended"];
}

/** Whether the fault is one of this target's. */
export function suits(fault: FaultName, target: Target, { hasEngine }: Pick<World, "hasEngine">): boolean {
  if (target === "edge") return fault === "flood";
  return target !== "engine" || hasEngine;
}

export async function begin(fault: FaultName, target: Target, deps: FaultDeps): Promise<Begun> {
  if (target === "edge") return flooded(deps);
  const party = deps.world.parties.get(target);
  if (party === undefined) throw new Error(`There is no ${target} here.`);
  switch (fault) {
    case "kill":
      await party.kill();
      return { end: () => party.start() };
    case "freeze":
      party.freeze();
      return { end: async () => party.thaw() };
    case "slow":
      return weathered(party, { kind: "slow", delayMs: 200, bytesPerS: 8_000 });
    case "flood":
      return target === "engine"
        ? pressed(party, enginePath, engineBody, deps)
        : pressed(party, chatPath, chatBody(), deps);
    default:
      return weathered(party, { kind: fault });
  }
}

function weathered({ wires }: Party, weather: Weather): Begun {
  for (const wire of wires) wire.weather = weather;
  return {
    end: async () => {
      for (const wire of wires) wire.weather = { kind: "calm" };
    },
  };
}

/** Far more callers at the edge than edge and origins have room for. Their calls count as everybody's. */
function flooded({ world, random, floodCallers, ended }: FaultDeps): Begun {
  const load = startLoad({
    ...world.edge,
    callers: floodCallers,
    thinkMsMax: 0,
    random: randomOf(Math.floor(random() * 2 ** 31)),
    next: world.next,
    ended,
  });
  return { end: () => load.stop() };
}

const chatPath = "/v1/chat/completions";
const enginePath = "/v2/models/pair/infer";
const engineBody = JSON.stringify({
  id: "flood",
  inputs: ["a", "b"].map((name) => ({ name, datatype: "FP32", shape: [1, 4], data: [1, 2, 3, 4] })),
});

/** The same behind the edge's back: whoever else asks this origin, or this engine. */
function pressed(party: Party, path: string, body: string, { floodCallers }: FaultDeps): Begun {
  const stop = new AbortController();
  const caller = async () => {
    while (!stop.signal.aborted) {
      const asked = fetch(party.url + path, { method: "POST", headers: directHeaders, body, signal: stop.signal });
      await asked.then((answer) => answer.arrayBuffer()).catch(() => undefined);
    }
  };
  const all = Promise.all(Array.from({ length: floodCallers }, caller));
  return {
    end: async () => {
      stop.abort();
      await all;
    },
  };
}
