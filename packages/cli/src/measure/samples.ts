import type { Datatype, Tensor, Tensors } from "@ledge/contract";
import type { GraphFacts, GraphValue } from "../inspect/read-graph.ts";
import { Refusal } from "../refusal.ts";

/** Elements of one input: a shape with more is a mistake, or an attack on memory. */
const elementsMax = 2 ** 26;
const variableDefault = 16;

/** True when every input's first dimension is variable: rows can be put together in one run. */
export function takesRows({ inputs }: Pick<GraphFacts, "inputs">): boolean {
  const firsts = inputs.map(({ dimensions }) => dimensions?.[0]);
  return firsts.length > 0 && firsts.every((first) => typeof first === "string" && first === firsts[0]);
}

/**
 * Feeds for every input of a graph, the same at every call. Variable dimensions of one name are of one size: `rows` for
 * the first, what `sizes` says, 0 for the past of a state, else 16. Whole numbers stay below the table they look up.
 *
 * @throws Refusal for an input whose shape is too large to be meant.
 */
export function generateFeeds(
  facts: Pick<GraphFacts, "inputs" | "rowsLookedUp">,
  rows: number,
  sizes: ReadonlyMap<string, number>,
): Tensors {
  const random = generator(1);
  const byRows = takesRows(facts);
  const made = facts.inputs.map((input) => {
    const first = input.dimensions?.[0];
    const known = new Map(sizes);
    if (byRows && typeof first === "string" && first !== "") known.set(first, rows);
    const shape = (input.dimensions ?? []).map((dimension, at) =>
      byRows && at === 0 ? rows : sizeOf(dimension, known),
    );
    const elements = shape.reduce((product, size) => product * size, 1);
    if (elements > elementsMax) {
      throw new Refusal(`The input '${input.name}' would have ${elements} elements: give smaller --size or --input.`);
    }
    return [input.name, { shape, ...fill(input, elements, facts.rowsLookedUp.get(input.name), random) } as Tensor];
  });
  return Object.fromEntries(made);
}

/** A dimension may be a sum, as exporters write `past_sequence_length + 1`. */
function sizeOf(dimension: number | string, sizes: ReadonlyMap<string, number>): number {
  if (typeof dimension === "number") return Math.max(dimension, 1);
  const terms = dimension.split("+").map((term) => term.trim());
  return terms.reduce((sum, term) => sum + termOf(term, sizes), 0);
}

function termOf(term: string, sizes: ReadonlyMap<string, number>): number {
  if (/^\d{1,9}$/.test(term)) return Number(term);
  return sizes.get(term) ?? (/^past/i.test(term) ? 0 : variableDefault);
}

type Filled = Pick<Tensor, "datatype" | "data">;

function fill(input: GraphValue, elements: number, below: number | undefined, random: () => number): Filled {
  const { datatype, name } = input;
  if (datatype === "BYTES") return { datatype, data: Array.from({ length: elements }, (_, at) => `text ${at}`) };
  const isMask = /mask/i.test(name);
  const whole = () => (isMask ? 1 : Math.floor(random() * Math.min(below ?? 2, 2 ** 31)));
  const float = () => (isMask ? 1 : random() * 2 - 1);
  return { datatype, data: numbers(datatype, elements, whole, float) } as Filled;
}

function numbers(datatype: Exclude<Datatype, "BYTES">, length: number, whole: () => number, float: () => number) {
  const big = () => BigInt(whole());
  switch (datatype) {
    case "FP32":
      return Float32Array.from({ length }, float);
    case "FP64":
      return Float64Array.from({ length }, float);
    // 0 or 1 as the bits of a half.
    case "FP16":
      return Uint16Array.from({ length }, () => whole() * 0x3c00);
    case "INT64":
      return BigInt64Array.from({ length }, big);
    case "UINT64":
      return BigUint64Array.from({ length }, big);
    case "INT32":
      return Int32Array.from({ length }, whole);
    case "UINT32":
      return Uint32Array.from({ length }, whole);
    case "INT16":
      return Int16Array.from({ length }, whole);
    case "UINT16":
      return Uint16Array.from({ length }, whole);
    case "INT8":
      return Int8Array.from({ length }, whole);
    case "UINT8":
    case "BOOL":
      return Uint8Array.from({ length }, whole);
  }
}

/** Numbers in [0, 1) that are the same for the same seed: mulberry32. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
