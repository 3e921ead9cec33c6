import { expect, test } from "vitest";
import { Gate } from "../admit/gate.ts";
import type { Engine } from "../engines/engine.ts";
import { Registry } from "../engines/registry.ts";
import { metricsText } from "./metrics.ts";

function engine(name: string, version: string): Engine {
  return { model: { name, version, task: "chat" }, close: async () => {} };
}

function gate(): Gate {
  return new Gate({ runningMax: 1, waitingMax: 8 }, () => 0);
}

test("the metrics tell of each model how many calls run and wait, and how many models are still to come", async () => {
  const registry = new Registry();
  const busy = gate();
  registry.add({ engine: engine("big", "2"), gate: busy });
  registry.add({ engine: engine("idle", "1"), gate: gate() });
  registry.expect("late", "1");
  const calls = new AbortController();
  await busy.enter(calls.signal);
  const waiting = [busy.enter(calls.signal), busy.enter(calls.signal)];
  expect(metricsText(registry)).toBe(`# HELP ledge_origin_running Calls that an engine works on.
# TYPE ledge_origin_running gauge
ledge_origin_running{model="big",version="2"} 1
ledge_origin_running{model="idle",version="1"} 0
# HELP ledge_origin_waiting Calls that wait for an engine.
# TYPE ledge_origin_waiting gauge
ledge_origin_waiting{model="big",version="2"} 2
ledge_origin_waiting{model="idle",version="1"} 0
# HELP ledge_origin_models_pending Models that are still being loaded.
# TYPE ledge_origin_models_pending gauge
ledge_origin_models_pending 1
`);
  calls.abort("deadline");
  await Promise.all(waiting);
});

test("two packages of one name and number are one series", async () => {
  const registry = new Registry();
  const signal = new AbortController().signal;
  for (const digest of ["a", "b"]) {
    const own = gate();
    await own.enter(signal);
    registry.addBrought(digest, { engine: engine("twin", "1"), gate: own });
  }
  expect(metricsText(registry).match(/^ledge_origin_running.*$/gm)).toEqual([
    'ledge_origin_running{model="twin",version="1"} 2',
  ]);
});

test("a name cannot break out of its label", () => {
  const registry = new Registry();
  registry.add({ engine: engine('a"} 1\nb\\', "1"), gate: gate() });
  expect(metricsText(registry)).toContain('ledge_origin_waiting{model="a\\"} 1\\nb\\\\",version="1"} 0\n');
});
