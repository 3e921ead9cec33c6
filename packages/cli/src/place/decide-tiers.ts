import type { Task } from "@ledge/contract";
import type { Measurement } from "../measure/measure-graph.ts";

export type Tier = "edge" | "origin";

export interface Placement {
  /** Nearest first. */
  readonly tiers: readonly Tier[];
  /** Why the edge may or may not run it, one sentence. */
  readonly reason: string;
}

export interface PlacementRule {
  /** Largest difference between the engines' outputs, as a share of the largest magnitude in an output. */
  readonly relMax: number;
  /** Or so many times what mere rounding does to the model: int8 models pass small differences on as large ones. */
  readonly roundingTimes: number;
  /** Bytes of heap and JavaScript together. */
  readonly isolateBytesMax: number;
  /** Bytes of heap: MEMORY_BYTES_MAX of the inference Worker. */
  readonly heapBytesMax: number;
  /** Bytes set aside for the Worker's own code and objects. */
  readonly workerBytes: number;
}

/** An isolate has 128 MB and is ended above it; a tenth is kept free. */
export const placementRule: PlacementRule = {
  relMax: 0.02,
  roundingTimes: 4,
  isolateBytesMax: 115e6,
  heapBytesMax: 96 * 2 ** 20,
  workerBytes: 8e6,
};

/**
 * Which tiers may run a model. The origin may always; the edge only what the WASM build runs, with the same outputs, in
 * one isolate: the heap after eight rows, the file once more while it is loaded, and the Worker itself.
 */
export function decideTiers(task: Task, measurement: Measurement, rule: PlacementRule = placementRule): Placement {
  const { wasm, bytes } = measurement;
  const originOnly = (reason: string): Placement => ({ tiers: ["origin"], reason });
  if (task === "chat") return originOnly("Not at the edge: chats are generated at the origin.");
  if ("refused" in wasm) return originOnly(`Not at the edge: ${lower(wasm.refused)}`);
  const apart = tooFarApart(measurement, rule);
  if (apart !== undefined) return originOnly(`Not at the edge: the WASM build differs from native by ${apart}`);
  if (wasm.heapBytes > rule.heapBytesMax) {
    return originOnly(
      `Not at the edge: it takes ${megabytes(wasm.heapBytes)} of heap, and models share ${megabytes(rule.heapBytesMax)} there.`,
    );
  }
  const wanted = wasm.heapBytes + bytes + rule.workerBytes;
  const sum = `${megabytes(wasm.heapBytes)} of heap, ${megabytes(bytes)} of file while loading and ${megabytes(rule.workerBytes)} for the Worker make ${megabytes(wanted)}`;
  if (wanted > rule.isolateBytesMax) {
    return originOnly(`Not at the edge: ${sum}, and an isolate has room for ${megabytes(rule.isolateBytesMax)}.`);
  }
  return {
    tiers: ["edge", "origin"],
    reason: `At the edge, too: ${sum} of the ${megabytes(rule.isolateBytesMax)} an isolate has room for.`,
  };
}

/** By how much the engines differ beyond what is allowed; undefined when they agree. */
function tooFarApart({ difference, rounding }: Measurement, rule: PlacementRule): string | undefined {
  const { maxRel = 0, unequal = 0 } = difference ?? {};
  const unequalMax = rule.roundingTimes * rounding.unequal;
  if (unequal > unequalMax) {
    return `${percent(unequal)} of its whole outputs; ${percent(unequalMax)} is allowed.`;
  }
  const relMax = Math.max(rule.relMax, rule.roundingTimes * rounding.maxRel);
  return maxRel > relMax ? `${percent(maxRel)} of the largest output; ${percent(relMax)} is allowed.` : undefined;
}

const lower = (sentence: string) => sentence.charAt(0).toLowerCase() + sentence.slice(1);
const percent = (share: number) => `${Number((share * 100).toPrecision(2))} %`;
const megabytes = (bytes: number) => `${Number((bytes / 1e6).toPrecision(3))} MB`;
