import type { LedgerRow } from "@ledge/contract";
import { latencyClass } from "./latency.ts";

/** What an hour's calls of one kind add up to. Every number is a sum, so that sums of sums stay true. */
export interface Sums {
  readonly calls: number;
  readonly failures: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cost: number;
  readonly listCost: number;
  readonly edgeSaved: number;
  /** Calls that were answered, by class of latency. */
  readonly latency: ReadonlyMap<number, number>;
}

export const noSums: Sums = {
  calls: 0,
  failures: 0,
  inputTokens: 0,
  outputTokens: 0,
  cost: 0,
  listCost: 0,
  edgeSaved: 0,
  latency: new Map(),
};

const fields = ["calls", "failures", "inputTokens", "outputTokens", "cost", "listCost", "edgeSaved"] as const;

export function sumsOf(row: LedgerRow): Sums {
  return {
    calls: 1,
    failures: row.code === undefined ? 0 : 1,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    cost: row.cost,
    listCost: row.list_cost,
    edgeSaved: row.edge_saved ?? 0,
    latency: row.code === undefined ? new Map([[latencyClass(row.latency_ms), 1]]) : new Map(),
  };
}

/** `sign` -1 takes the second away. */
export function addSums(a: Sums, b: Sums, sign: 1 | -1 = 1): Sums {
  const latency = new Map(a.latency);
  for (const [index, count] of b.latency) {
    const sum = (latency.get(index) ?? 0) + sign * count;
    if (sum === 0) latency.delete(index);
    else latency.set(index, sum);
  }
  const added = Object.fromEntries(fields.map((field) => [field, a[field] + sign * b[field]]));
  return { ...noSums, ...added, latency };
}

/** Sums as bytes: each number in groups of seven bits, lowest first; then the lowest class that occurs, and the counts from it on. */
export function packSums(sums: Sums): Uint8Array {
  const bytes: number[] = [];
  const put = (value: number) => {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
    bytes.push(rest);
  };
  for (const field of fields) put(sums[field]);
  const classes = [...sums.latency.keys()];
  const [lowest, highest] = [Math.min(...classes), Math.max(...classes)];
  if (classes.length > 0) put(lowest);
  for (let index = lowest; index <= highest; index++) put(sums.latency.get(index) ?? 0);
  return Uint8Array.from(bytes);
}

export function unpackSums(bytes: Uint8Array): Sums {
  let at = 0;
  const take = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  const read = Object.fromEntries(fields.map((field) => [field, take()]));
  const latency = new Map<number, number>();
  for (let index = at < bytes.length ? take() : 0; at < bytes.length; index++) {
    const count = take();
    if (count > 0) latency.set(index, count);
  }
  return { ...noSums, ...read, latency };
}
