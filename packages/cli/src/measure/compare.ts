import type { Tensor, Tensors } from "@ledge/contract";

/** How far the outputs of two engines lie apart. Plain numbers, reported as they are. */
export interface Difference {
  /** Largest difference of two numbers. */
  readonly maxAbs: number;
  /** The same, as a share of the largest magnitude in its output. */
  readonly maxRel: number;
  /** Share of texts, booleans and whole numbers that are not equal. */
  readonly unequal: number;
}

/** Compares every output, and of floats the worst; infinite when an output is missing or has another shape. */
export function compareOutputs(ours: Tensors, reference: Tensors): Difference {
  let worst: Difference = { maxAbs: 0, maxRel: 0, unequal: 0 };
  for (const [name, expected] of Object.entries(reference)) {
    const found = ours[name];
    const same = found?.datatype === expected.datatype && String(found.shape) === String(expected.shape);
    const one = same && found !== undefined ? compareTensors(found, expected) : apart;
    worst = worstOf(worst, one);
  }
  return worst;
}

const apart: Difference = { maxAbs: Number.POSITIVE_INFINITY, maxRel: Number.POSITIVE_INFINITY, unequal: 1 };

export function worstOf(a: Difference, b: Difference): Difference {
  return {
    maxAbs: Math.max(a.maxAbs, b.maxAbs),
    maxRel: Math.max(a.maxRel, b.maxRel),
    unequal: Math.max(a.unequal, b.unequal),
  };
}

function compareTensors(found: Tensor, expected: Tensor): Difference {
  const floats = [floatsOf(found), floatsOf(expected)] as const;
  if (floats[0] !== undefined && floats[1] !== undefined) return compareFloats(floats[0], floats[1]);
  const { data } = expected;
  let unequal = 0;
  for (let at = 0; at < data.length; at++) if (found.data[at] !== data[at]) unequal++;
  return { maxAbs: 0, maxRel: 0, unequal: data.length === 0 ? 0 : unequal / data.length };
}

function compareFloats(found: Floats, expected: Floats): Difference {
  let maxAbs = 0;
  let largest = 0;
  for (let at = 0; at < expected.length; at++) {
    const a = found[at] ?? Number.NaN;
    const b = expected[at] ?? Number.NaN;
    // Equal infinities and two NaN agree; anything else with one of them is as far apart as can be.
    const difference = Object.is(a, b) || a === b ? 0 : Math.abs(a - b);
    maxAbs = Math.max(maxAbs, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
    if (Number.isFinite(b)) largest = Math.max(largest, Math.abs(b));
  }
  return { maxAbs, maxRel: maxAbs === 0 ? 0 : maxAbs / Math.max(largest, Number.MIN_VALUE), unequal: 0 };
}

type Floats = Float32Array | Float64Array;

function floatsOf(tensor: Tensor): Floats | undefined {
  if (tensor.datatype === "FP32" || tensor.datatype === "FP64") return tensor.data;
  if (tensor.datatype === "FP16") return Float32Array.from(tensor.data, halfToFloat);
  return undefined;
}

/** IEEE 754 binary16 from its bits. */
function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
