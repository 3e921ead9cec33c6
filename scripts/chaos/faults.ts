import { type Random, randomOf } from "../simulate/random.ts";
import { type LoadOptions, startLoad } from "./callers.ts";
import { chatBody } from "./questions.ts";
import type { Weather, Wire } from "./wire.ts";
import { directHeaders, type Target, type World } from "./world.ts";

export const faultNames = ["kill", "freeze", "slow", "half-close", "reset", "blackhole", "drop", "flood"] as const;
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

/** Whether the fault can happen to this target. */
export function suits(fault: FaultName, target: Target, { hasEngine }: Pick<World, "hasEngine">): boolean {
  if (target === "edge") return fault === "flood";
  if (target === "near-engine") return hasEngine && fault !== "kill" && fault !== "freeze" && fault !== "flood";
  return target !== "engine" || hasEngine;
}

export async function begin(fault: FaultName, target: Target, deps: FaultDeps): Promise<Begun> {
  const { parties, wires } = deps.world;
  const party = parties.get(target);
  switch (fault) {
    case "kill":
      await party?.kill();
      return { end: async () => party?.start() };
    case "freeze":
      party?.freeze();
      return { end: async () => party?.thaw() };
    case "slow":
      return weathered(wires.get(target), { kind: "slow", delayMs: 200, bytesPerS: 8_000 });
    case "flood":
      return party === undefined ? flooded(deps) : pressed(party.url, floodOf(target), deps);
    default:
      return weathered(wires.get(target), { kind: fault });
  }
}

function weathered(wires: readonly Wire[] | undefined, weather: Weather): Begun {
  for (const wire of wires ?? []) wire.weather = weather;
  return {
    end: async () => {
      for (const wire of wires ?? []) wire.weather = { kind: "calm" };
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

function floodOf(target: Target): readonly [path: string, body: string] {
  return target === "engine" ? ["/v2/models/pair/infer", engineBody] : ["/v1/chat/completions", chatBody()];
}

const engineBody = JSON.stringify({
  id: "flood",
  inputs: ["a", "b"].map((name) => ({ name, datatype: "FP32", shape: [1, 4], data: [1, 2, 3, 4] })),
});

/** The same behind the edge's back: whoever else asks this origin, or this engine. */
function pressed(url: string, [path, body]: ReturnType<typeof floodOf>, { floodCallers }: FaultDeps): Begun {
  const stop = new AbortController();
  const caller = async () => {
    while (!stop.signal.aborted) {
      const asked = fetch(url + path, { method: "POST", headers: directHeaders, body, signal: stop.signal });
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
