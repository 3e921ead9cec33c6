import type { Tensor, Tensors } from "@ledge/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine } from "../../origin/src/engines/engine.ts";

const never = new AbortController().signal;

/** The engines of one server: `pair` adds and subtracts FP32 of shape [-1, 4], `echo` gives back what it gets. */
export interface TensorEngines {
  readonly pair: Engine;
  readonly echo: Engine;
}

/** What a server cannot do, or says otherwise. What is left out is not tested, and stands in docs/origin.md. */
export interface InferLacks {
  /** Tensors travel as JSON: no FP16, and 64-bit integers only as far as a double holds them. */
  readonly bytes?: true;
}

/** What every engine that infers must do, whatever it is made of. `make` may take as long as a server takes to start. */
export function inferConformance(name: string, make: () => Promise<TensorEngines>, lacks: InferLacks = {}): void {
  describe(`tensor engine ${name}`, () => {
    let engines: TensorEngines;
    const everything = lacks.bytes ? safe : extremes;
    beforeAll(async () => {
      engines = await make();
    }, 600_000);
    afterAll(async () => {
      await engines?.pair.close();
      await engines?.echo.close();
    });

    test("gives the right numbers, all outputs where none is named", async () => {
      expect(await infer(engines.pair, pairOf(1))).toEqual({ sum: row(1, 3, 5, 7.5), difference: row(1, 1, 1, 0.5) });
    });

    test("gives the outputs that are named and no others", async () => {
      expect(await infer(engines.pair, pairOf(1), ["difference"])).toEqual({ difference: row(1, 1, 1, 0.5) });
      expect(Object.keys(await infer(engines.pair, pairOf(1), []))).toHaveLength(2);
    });

    test("every datatype comes back bit for bit, its extremes too", async () => {
      expect(await infer(engines.echo, feedsOf(everything))).toEqual(echoOf(everything));
    });

    test("many calls at once get their own answers", async () => {
      const answers = await Promise.all(
        Array.from({ length: 24 }, (_, at) => infer(engines.pair, pairOf(at), ["sum"])),
      );
      expect(answers.map(({ sum }) => sum?.data[0])).toEqual(Array.from({ length: 24 }, (_, at) => at));
    });

    test("a tensor of a megabyte comes back whole", async () => {
      const data = Float32Array.from({ length: 262_144 }, (_, at) => at / 2);
      const large = { ...everything, FP32: one({ datatype: "FP32", shape: [1, data.length], data }) };
      expect((await infer(engines.echo, feedsOf(large))).out_FP32).toEqual(large.FP32);
    });

    test("tensors that do not fit are the caller's fault, and change nothing", async () => {
      const { a, b } = pairOf(1);
      const wrong: Tensors[] = [
        { a: row(1, 2, 3), b: row(1, 2, 3) } as Tensors,
        { ...(a === undefined ? {} : { a }), ...(b === undefined ? {} : { c: b }) },
      ];
      for (const feeds of wrong) {
        expect(await engines.pair.infer?.(feeds, undefined, never)).toMatchObject({
          ok: false,
          fault: { code: "invalid_shape" },
        });
      }
      expect(await engines.pair.infer?.(pairOf(1), ["no-such"], never)).toMatchObject({
        ok: false,
        fault: { code: "invalid_shape" },
      });
      expect(Object.keys(await infer(engines.pair, pairOf(1)))).toEqual(["sum", "difference"]);
    });

    test("a signal that has fired runs nothing, and is the answer", async () => {
      for (const reason of ["deadline", "draining"] as const) {
        const code = reason === "deadline" ? "deadline_exceeded" : "origin_unavailable";
        expect(await engines.pair.infer?.(pairOf(1), undefined, AbortSignal.abort(reason))).toMatchObject({
          ok: false,
          fault: { code },
        });
      }
    });
  });
}

/** The answer of an engine that must give one. */
export async function infer(engine: Engine, feeds: Tensors, outputs?: readonly string[]): Promise<Tensors> {
  const answer = await engine.infer?.(feeds, outputs, never);
  if (answer?.ok !== true) throw new Error(`failed: ${JSON.stringify(answer)}`);
  return answer.value;
}

function row(...values: number[]): Tensor {
  return { datatype: "FP32", shape: [1, values.length], data: Float32Array.from(values) };
}

/** Two rows whose sum begins with `first`. */
export function pairOf(first: number): Tensors {
  return { a: row(first, 2, 3, 4), b: row(0, 1, 2, 3.5) };
}

const one = <T extends Tensor>(tensor: T): T => tensor;
const shape = [1, 2];

/** As `echo` calls its inputs. */
export function feedsOf(tensors: Tensors): Tensors {
  return Object.fromEntries(Object.entries(tensors).map(([datatype, tensor]) => [`in_${datatype}`, tensor]));
}

function echoOf(tensors: Tensors): Tensors {
  return Object.fromEntries(Object.entries(tensors).map(([datatype, tensor]) => [`out_${datatype}`, tensor]));
}

/** Two elements of every datatype, its extremes where it has some. */
export const extremes = {
  BOOL: one({ datatype: "BOOL", shape, data: Uint8Array.of(1, 0) }),
  UINT8: one({ datatype: "UINT8", shape, data: Uint8Array.of(0, 255) }),
  UINT16: one({ datatype: "UINT16", shape, data: Uint16Array.of(0, 65_535) }),
  UINT32: one({ datatype: "UINT32", shape, data: Uint32Array.of(0, 4_294_967_295) }),
  UINT64: one({ datatype: "UINT64", shape, data: BigUint64Array.of(0n, 2n ** 64n - 1n) }),
  INT8: one({ datatype: "INT8", shape, data: Int8Array.of(-128, 127) }),
  INT16: one({ datatype: "INT16", shape, data: Int16Array.of(-32_768, 32_767) }),
  INT32: one({ datatype: "INT32", shape, data: Int32Array.of(-(2 ** 31), 2 ** 31 - 1) }),
  INT64: one({ datatype: "INT64", shape, data: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n) }),
  FP16: one({ datatype: "FP16", shape, data: Uint16Array.of(0x3c00, 0xfbff) }),
  FP32: one({ datatype: "FP32", shape, data: Float32Array.of(-0.1, 3e38) }),
  FP64: one({ datatype: "FP64", shape, data: Float64Array.of(-0.1, 1e308) }),
  BYTES: one({ datatype: "BYTES", shape, data: ["", "Grüße 😀"] }),
};

const { FP16: _hasNoJson, ...others } = extremes;

/** As JSON can carry them. */
const safe = {
  ...others,
  UINT64: one({ datatype: "UINT64", shape, data: BigUint64Array.of(0n, 2n ** 53n - 1n) }),
  INT64: one({ datatype: "INT64", shape, data: BigInt64Array.of(-(2n ** 53n) + 1n, 2n ** 53n - 1n) }),
};
