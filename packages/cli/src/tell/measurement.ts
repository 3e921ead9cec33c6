import type { Difference } from "../measure/compare.ts";
import type { EngineCost, Measurement } from "../measure/measure-graph.ts";
import { bytesText, table } from "./table.ts";

/** A measurement as JSON: what recipes read. `measured` is as `model.json` has it. */
export function measurementJson({ bytes, native, wasm, difference, rounding }: Measurement): object {
  if ("refused" in wasm) return { bytes, native, wasm: null, refused: wasm.refused };
  const { heapBytes, loadMs, runMs } = wasm;
  return { bytes, native, wasm, difference, rounding, measured: { heapBytes, loadMs, runMs } };
}

export function measurementText({ bytes, native, wasm, difference, rounding }: Measurement): string {
  const sizes = Object.keys(native.runMs);
  const head = ["engine", "load", ...sizes.map((size) => `run of ${size}`), "heap"];
  const row = (name: string, cost: EngineCost, heap: string) => [
    name,
    `${cost.loadMs} ms`,
    ...sizes.map((size) => `${cost.runMs[size] ?? "–"} ms`),
    heap,
  ];
  const rows = [head, row("native, one thread", native, "–")];
  if (!("refused" in wasm)) rows.push(row("WASM in workerd", wasm, bytesText(wasm.heapBytes)));
  const notes = "refused" in wasm ? wasm.refused : differenceText(difference, rounding);
  return `${table(rows)}\n${bytesText(bytes)} on disk. ${notes}`;
}

function differenceText(difference: Difference | undefined, rounding: Difference): string {
  if (difference === undefined) return "";
  const { maxAbs, maxRel, unequal } = difference;
  const wholes = unequal === 0 ? "all whole outputs equal" : `${short(unequal * 100)} % of whole outputs unequal`;
  const apart = `Outputs differ by at most ${short(maxAbs)} (${short(maxRel * 100)} % of the largest`;
  return `${apart}, where rounding alone makes ${short(rounding.maxRel * 100)} %); ${wholes}.`;
}

const short = (value: number) => String(Number(value.toPrecision(2)));
