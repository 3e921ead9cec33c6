import type { PackageManifest } from "@ledge/contract";
import { sharesRuns } from "@ledge/pipeline";
import type { BatchRule } from "@ledge/policy/batching";
import { Gate } from "../admit/gate.ts";
import type { Engine } from "../engines/engine.ts";
import type { GraphEngine } from "../engines/onnx/graph-engine.ts";
import type { Seat } from "../engines/registry.ts";
import { BatchedGraph } from "./batched-graph.ts";
import { BatchedTensors } from "./batched-tensors.ts";
import { wakeIn } from "./batcher.ts";
import type { BatchReport } from "./figures.ts";

/** The deadlines' clock. */
const clock = { nowMs: () => performance.timeOrigin + performance.now(), wakeIn };

/** Whether the first dimension of a package's graph is a batch, as far as its manifest says. */
export function mayBatch(manifest: PackageManifest): boolean {
  const isOpen = [...manifest.inputs, ...manifest.outputs].every(({ shape }) => shape[0] === -1);
  return isOpen && (manifest.preprocess !== undefined || sharesRuns(manifest));
}

export function graphSeat(engine: GraphEngine, rule: BatchRule): Seat {
  return seatOf(new BatchedGraph(engine, rule, clock));
}

export function tensorSeat(engine: Engine & Required<Pick<Engine, "infer">>, rule: BatchRule): Seat {
  return seatOf(new BatchedTensors(engine, rule, clock));
}

function seatOf(engine: Engine & { readonly batcher: BatchReport }): Seat {
  const open = { runningMax: Number.POSITIVE_INFINITY, waitingMax: 0 };
  return { engine, gate: new Gate(open, () => performance.now()), batcher: engine.batcher };
}
