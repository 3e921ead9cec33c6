import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Tensor, Tensors } from "../tensor.ts";
import { arrayOf } from "./binary-data.ts";
import { decodeInfer, decodeInferAnswer, encodeInfer, type OutgoingTensor } from "./message.ts";

/** Tensors of every datatype, with every value the datatype has. */
const shape = fc.array(fc.nat({ max: 4 }), { maxLength: 3 });
const numeric = fc
  .tuple(fc.constantFrom(...(Object.keys(arrayOf) as (keyof typeof arrayOf)[])), shape)
  .chain(([datatype, dims]) => {
    const count = dims.reduce((product, dimension) => product * dimension, 1);
    const bytes = count * arrayOf[datatype].BYTES_PER_ELEMENT;
    return fc.uint8Array({ minLength: bytes, maxLength: bytes, max: datatype === "BOOL" ? 1 : 255 }).map((raw) => {
      return { datatype, shape: dims, data: new arrayOf[datatype](raw.slice().buffer) } as Tensor;
    });
  });
const scalar = fc.nat(0x10_ffff).filter((point) => point < 0xd800 || point > 0xdfff);
const text = fc.array(scalar, { maxLength: 8 }).map((points) => String.fromCodePoint(...points));
const texts = shape.chain((dims) => {
  const count = dims.reduce((product, dimension) => product * dimension, 1);
  return fc
    .array(text, { minLength: count, maxLength: count })
    .map((data): Tensor => ({ datatype: "BYTES", shape: dims, data }));
});
const tensors = fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), fc.oneof(numeric, texts), {
  minKeys: 1,
  maxKeys: 2,
});

function sent(what: Tensors, binary: boolean): readonly OutgoingTensor[] {
  return Object.entries(what).map(([name, tensor]) => ({ name, tensor, binary }));
}

function bytesOf(body: string | Uint8Array): Uint8Array {
  return typeof body === "string" ? new TextEncoder().encode(body) : body;
}

/** Through the wire as a request, and what the other side reads. */
function through(what: readonly OutgoingTensor[]) {
  const message = encodeInfer({ id: "7" }, "inputs", what);
  return message.ok ? decodeInfer(message.value.headerLength, bytesOf(message.value.body)) : message;
}

function asked(inputs: readonly object[], behind: Uint8Array = new Uint8Array()) {
  const json = new TextEncoder().encode(JSON.stringify({ inputs }));
  return decodeInfer(json.length, new Uint8Array([...json, ...behind]));
}

/** What a refusal says, in one line. */
function refusal(inputs: readonly object[], behind?: Uint8Array): string {
  const read = asked(inputs, behind);
  return read.ok ? "taken" : `${read.fault.code}: ${read.fault.detail ?? JSON.stringify(read.fault.issues)}`;
}

describe("binary data", () => {
  test("a tensor of every datatype and shape comes back bit for bit", () => {
    fc.assert(
      fc.property(tensors, (what) => {
        const read = through(sent(what, true));
        expect(read).toMatchObject({ ok: true, value: { request: { id: "7" } } });
        if (read.ok) expect(read.value.tensors).toEqual(what);
      }),
      { numRuns: 40 },
    );
  });

  test("an answer is read as it was written, whatever comes before the outputs", () => {
    fc.assert(
      fc.property(tensors, fc.boolean(), (what, binary) => {
        const texts = Object.entries(what).filter(
          ([, { datatype }]) => binary || /^(?:BYTES|U?INT\d+)$/.test(datatype),
        );
        const message = encodeInfer({ model_name: "é" }, "outputs", sent(Object.fromEntries(texts), binary));
        if (!message.ok) return /hold|NaN/.test(message.fault.detail ?? "");
        const read = decodeInferAnswer(message.value.headerLength, bytesOf(message.value.body));
        const beyond = texts.some(([, { datatype }]) => datatype.endsWith("INT64")) && !binary;
        if (!beyond) expect(read).toEqual({ ok: true, value: Object.fromEntries(texts) });
        return true;
      }),
    );
  });

  test("an answer that says null for what is not there is read as one without it", () => {
    const output = { name: "x", datatype: "INT32", shape: [2], parameters: null, data: [1, 2] };
    const answer = { model_name: "m", model_version: null, id: null, parameters: null, outputs: [output] };
    const data = Int32Array.of(1, 2);
    const body = new TextEncoder().encode(JSON.stringify(answer));
    expect(decodeInferAnswer(undefined, body)).toEqual({
      ok: true,
      value: { x: { datatype: "INT32", shape: [2], data } },
    });
  });

  test("BF16 becomes FP32 on its way in, and FP32 becomes BF16 when it is asked for, rounded to the nearest", () => {
    const bits = new Uint8Array(new Uint16Array([0x3f80, 0xc000, 0x7f80, 0x0001]).buffer);
    const input = { name: "x", shape: [4], datatype: "BF16", parameters: { binary_data_size: 8 } };
    const read = asked([input], bits);
    expect(read).toMatchObject({ ok: true, value: { tensors: { x: { datatype: "FP32" } } } });
    const tensor = read.ok ? read.value.tensors.x : undefined;
    expect([...(tensor?.data ?? [])]).toEqual([1, -2, Number.POSITIVE_INFINITY, 2 ** -133]);

    const data = new Float32Array([1, 1.00390625, 1.01171875, Number.NaN, 3.4028234663852886e38]);
    const sentBack = through([{ name: "x", tensor: { datatype: "FP32", shape: [5], data }, binary: true, as: "BF16" }]);
    const back = sentBack.ok ? sentBack.value.tensors.x : undefined;
    expect([...(back?.data ?? [])]).toEqual([1, 1, 1.015625, Number.NaN, Number.POSITIVE_INFINITY]);
  });

  test("any bytes are read or refused, never thrown at", () => {
    fc.assert(
      fc.property(fc.option(fc.nat(300), { nil: undefined }), fc.uint8Array({ maxLength: 200 }), (length, body) => {
        expect(typeof decodeInfer(length, body).ok).toBe("boolean");
      }),
    );
  });

  test.each<[string, object[], number[]]>([
    [
      "fewer bytes than its shape needs",
      [{ name: "x", shape: [2], datatype: "INT32", parameters: { binary_data_size: 4 } }],
      [0, 0, 0, 0],
    ],
    [
      "more bytes than the body holds",
      [{ name: "x", shape: [2], datatype: "INT32", parameters: { binary_data_size: 8 } }],
      [0, 0, 0, 0],
    ],
    ["bytes that belong to no tensor", [{ name: "x", shape: [1], datatype: "UINT8", data: [1] }], [0]],
    [
      "data in both forms",
      [{ name: "x", shape: [1], datatype: "UINT8", data: [1], parameters: { binary_data_size: 1 } }],
      [0],
    ],
    ["no data", [{ name: "x", shape: [1], datatype: "UINT8" }], []],
    [
      "a name twice",
      [
        { name: "x", shape: [1], datatype: "UINT8", data: [1] },
        { name: "x", shape: [1], datatype: "UINT8", data: [1] },
      ],
      [],
    ],
    [
      "a text cut short",
      [{ name: "x", shape: [1], datatype: "BYTES", parameters: { binary_data_size: 6 } }],
      [9, 0, 0, 0, 65, 66],
    ],
    [
      "a text that is not UTF-8",
      [{ name: "x", shape: [1], datatype: "BYTES", parameters: { binary_data_size: 5 } }],
      [1, 0, 0, 0, 255],
    ],
    [
      "a BOOL that is neither 0 nor 1",
      [{ name: "x", shape: [1], datatype: "BOOL", parameters: { binary_data_size: 1 } }],
      [2],
    ],
    [
      "a size that is no size",
      [{ name: "x", shape: [1], datatype: "UINT8", parameters: { binary_data_size: 1.5 } }],
      [2],
    ],
  ])("%s is refused as invalid_shape, by the tensor's name", (_what, inputs, behind) => {
    expect(refusal(inputs, Uint8Array.from(behind))).toMatch(/^invalid_shape: .*('x'|belong to no tensor)/);
  });

  test("a header length that the body does not have is refused", () => {
    expect(decodeInfer(3, new Uint8Array(2))).toMatchObject({ ok: false, fault: { code: "invalid_header" } });
    expect(decodeInfer(Number.NaN, new Uint8Array(2))).toMatchObject({ ok: false, fault: { code: "invalid_header" } });
  });

  test("shared memory is refused as unsupported", () => {
    const parameters = { shared_memory_region: "r", shared_memory_byte_size: 4 };
    expect(refusal([{ name: "x", shape: [1], datatype: "FP32", parameters }])).toMatch(/^unsupported_extension: /);
  });
});

describe("JSON data", () => {
  test("may be flat or nested", () => {
    const flat = asked([{ name: "x", shape: [2, 2], datatype: "INT8", data: [1, 2, 3, 4] }]);
    const nested = asked([
      {
        name: "x",
        shape: [2, 2],
        datatype: "INT8",
        data: [
          [1, 2],
          [3, 4],
        ],
      },
    ]);
    expect(flat).toMatchObject({ ok: true });
    if (flat.ok && nested.ok) expect(nested.value.tensors).toEqual(flat.value.tensors);
  });

  test("comes back as it was, for every value JSON can carry", () => {
    const plain = { b: { datatype: "BOOL", shape: [2], data: Uint8Array.of(1, 0) } } as const;
    const numbers = {
      f: { datatype: "FP32", shape: [2], data: Float32Array.of(0.1, -3.4028234663852886e38) },
      d: { datatype: "FP64", shape: [1], data: Float64Array.of(0.1) },
      i: { datatype: "INT64", shape: [1], data: BigInt64Array.of(-(2n ** 53n - 1n)) },
      u: { datatype: "UINT32", shape: [1], data: Uint32Array.of(4_294_967_295) },
      t: { datatype: "BYTES", shape: [1, 2], data: ["", "né \u{1f600}"] },
    } as const;
    const read = through(sent({ ...plain, ...numbers }, false));
    expect(read.ok && read.value.tensors).toEqual({ ...plain, ...numbers });
  });

  test("a 64-bit integer is written in all its digits", () => {
    const tensor: Tensor = { datatype: "INT64", shape: [1], data: BigInt64Array.of(2n ** 63n - 1n) };
    const message = encodeInfer({}, "outputs", [{ name: "x", tensor, binary: false }]);
    expect(message.ok && message.value.body).toContain('"data":[9223372036854775807]');
  });

  test.each<[string, string, unknown[]]>([
    ["INT64", "beyond 2^53", [2 ** 53]],
    ["UINT64", "beyond 2^53", [2 ** 53]],
    ["INT64", "as a string", ["1"]],
    ["INT8", "out of range", [128]],
    ["UINT8", "below zero", [-1]],
    ["INT32", "not whole", [1.5]],
    ["FP32", "too large for it", [1e39]],
    ["FP32", "no number", [null]],
    ["BOOL", "a number", [1]],
    ["BYTES", "a number", [1]],
    ["FP16", "at all: it has no JSON form", [1]],
    ["BF16", "at all: it has no JSON form", [1]],
    ["INT8", "too many", [1, 2]],
    ["INT8", "none", []],
  ])("%s given %s is refused with a sentence that names the tensor", (datatype, _how, data) => {
    expect(refusal([{ name: "x", shape: [1], datatype, data }])).toMatch(/^invalid_shape: 'x'/);
  });

  test.each<[string, Tensor]>([
    ["NaN", { datatype: "FP32", shape: [1], data: Float32Array.of(Number.NaN) }],
    ["an infinity", { datatype: "FP64", shape: [1], data: Float64Array.of(Number.POSITIVE_INFINITY) }],
    ["FP16", { datatype: "FP16", shape: [1], data: Uint16Array.of(1) }],
  ])("%s is not written as JSON: the fault says to ask for binary data", (_what, tensor) => {
    const message = encodeInfer({}, "outputs", [{ name: "x", tensor, binary: false }]);
    expect(message.ok ? "" : message.fault.detail).toMatch(/binary data/);
  });
});
