import { expect, test } from "vitest";
import { Gate } from "../admit/gate.ts";
import { BatchFigures } from "../batch/figures.ts";
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

test("runs that calls share are told as histograms whose buckets add up, those of two packages of one name as one", () => {
  const registry = new Registry();
  for (const digest of ["a", "b"]) {
    const figures = new BatchFigures();
    for (const rows of [1, 3, 300]) figures.rows.observe(rows);
    figures.queueS.observe(0.004);
    figures.refused.late += 1;
    registry.addBrought(digest, {
      engine: engine("twin", "1"),
      gate: gate(),
      batcher: { running: 2, waiting: 3, figures },
    });
  }
  const lines = metricsText(registry).split("\n");
  const of = (name: string) => lines.filter((line) => line.startsWith(name));
  expect(of("ledge_origin_waiting")).toEqual(['ledge_origin_waiting{model="twin",version="1"} 6']);
  expect(of("ledge_origin_batch_rows")).toEqual([
    ...["1", "2", "4", "8", "16", "32", "64", "128", "256", "+Inf"].map((bound, at) => {
      const total = [2, 2, 4, 4, 4, 4, 4, 4, 4, 6][at];
      return `ledge_origin_batch_rows_bucket{model="twin",version="1",le="${bound}"} ${total}`;
    }),
    'ledge_origin_batch_rows_sum{model="twin",version="1"} 608',
    'ledge_origin_batch_rows_count{model="twin",version="1"} 6',
  ]);
  expect(of("ledge_origin_queue_seconds_sum")).toEqual([
    'ledge_origin_queue_seconds_sum{model="twin",version="1"} 0.008',
  ]);
  expect(of("ledge_origin_refused_total")).toEqual([
    'ledge_origin_refused_total{model="twin",version="1",reason="full"} 0',
    'ledge_origin_refused_total{model="twin",version="1",reason="late"} 2',
  ]);
});
