import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import type { TensorSpec } from "@ledge/contract";
import * as fc from "fast-check";
import { encode } from "fast-png";
import { describe, expect, test } from "vitest";
import { choosePreparer } from "./choose-preparer.ts";
import type { Preparer } from "./preparer.ts";

interface Golden {
  readonly files: Readonly<Record<string, string>>;
  readonly cases: readonly {
    readonly file: string;
    readonly step: { readonly kind: string; readonly std: readonly number[]; readonly scale: number };
    readonly shape: readonly number[];
    readonly values: readonly number[];
  }[];
}

/** What Pillow and numpy make of small pictures. */
const golden: Golden = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "..", "golden", "pictures.golden.json"), "utf8"),
);
const pixels: TensorSpec = { name: "pixels", datatype: "FP32", shape: [-1, -1, -1, -1] };
const step = {
  kind: "image",
  size: [4, 4],
  resize: "stretch",
  channels: 3,
  layout: "nchw",
  scale: 1,
  mean: [0],
  std: [1],
};

function made(preparer: ReturnType<typeof choosePreparer>): Preparer {
  if (!preparer.ok) throw new Error(preparer.fault.cause);
  return preparer.value;
}

const plain = made(choosePreparer(step, [pixels], new Map()));
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const prepare = (bytes: Uint8Array) => plain.prepare({ image: base64(bytes) });

function detailOf(bytes: Uint8Array): string | undefined {
  const row = prepare(bytes);
  if (row.ok) return undefined;
  expect(row.fault.code).toBe("invalid_shape");
  return row.fault.detail;
}

describe("a picture", () => {
  test.each(golden.cases.map((each) => [each.file, each.step, each] as const))(
    "%s is the tensor that Pillow and numpy make of it: %j",
    (file, itsStep, { shape, values }) => {
      const row = made(choosePreparer(itsStep, [pixels], new Map())).prepare({ image: golden.files[file] ?? "" });
      if (!row.ok) throw new Error(row.fault.detail);
      const tensor = row.value.tensors.pixels;
      expect(tensor?.shape).toEqual(shape);
      const unit = itsStep.scale / Math.min(...itsStep.std);
      // PNG has one right answer. Of JPEG decoders the standard allows a byte of difference, and halved chroma is spread
      // smoothly by one and in blocks by the other.
      const mostBytes = file.startsWith("PNG") ? 0 : file.includes("halved") ? 40 : 2;
      const apart = values.map((value, at) => Math.abs(value - Number(tensor?.data[at])) / unit);
      expect(Math.max(...apart)).toBeLessThan(mostBytes + 0.01);
      expect(apart.reduce((sum, each) => sum + each, 0) / apart.length).toBeLessThan(mostBytes === 40 ? 4 : 0.6);
    },
  );

  test("of 16 bits a sample keeps the upper eight, interlaced or not", () => {
    const data = Uint16Array.from({ length: 16 * 3 }, (_, at) => at * 0x0501);
    for (const interlace of ["null", "Adam7"] as const) {
      const row = prepare(encode({ width: 4, height: 4, channels: 3, depth: 16, data }, { interlace }));
      if (!row.ok) throw new Error(row.fault.detail);
      const expected = Array.from({ length: 48 }, (_, at) => (data[(at % 16) * 3 + Math.floor(at / 16)] ?? 0) >> 8);
      expect(Array.from(row.value.tensors.pixels?.data ?? [], Number)).toEqual(expected);
    }
  });

  test("counts the pixels the graph gets as tokens", () => {
    const row = plain.prepare({ image: golden.files["PNG, grey"] ?? "" });
    expect(row.ok && row.value.tokens).toBe(16);
  });
});

describe("an image step", () => {
  test.each([
    ["a graph that takes no pictures", step, [{ ...pixels, shape: [-1, -1] }], /4 dimensions/],
    ["a graph that takes bytes", step, [{ ...pixels, datatype: "UINT8" }], /UINT8/],
    ["a graph of another size", step, [{ ...pixels, shape: [-1, 3, 8, 8] }], /\[3, 4, 4\]/],
    ["a graph with two inputs", step, [pixels, { ...pixels, name: "mask" }], /2 inputs/],
    ["two means for three channels", { ...step, mean: [0, 0] }, [pixels], /mean and std/],
    ["a member it does not know", { ...step, crop: 3 }, [pixels], /crop/],
  ] as const)("is not ready for %s, and says so", (_what, asked, inputs, says) => {
    const refused = choosePreparer(asked, inputs as readonly TensorSpec[], new Map());
    expect(refused).toMatchObject({ ok: false, fault: { code: "model_not_ready" } });
    if (!refused.ok) expect(refused.fault.cause).toMatch(says);
  });

  test("takes pictures only", () => {
    expect(plain.prepare("a cat")).toMatchObject({ fault: { code: "invalid_shape" } });
    expect(plain.prepare({ audio: "" })).toMatchObject({ fault: { code: "invalid_shape" } });
  });
});

/** A PNG by hand, checksums left out: what is wrong with it must be found before they are looked at. */
function png(header: readonly number[], pixels: Uint8Array, more: readonly [string, Uint8Array][] = []): Uint8Array {
  const chunk = (type: string, data: Uint8Array) => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(data.length);
    head.write(type, 4, "latin1");
    return Buffer.concat([head, data, Buffer.alloc(4)]);
  };
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  const chunks = more.map(([type, data]) => chunk(type, data));
  const end = chunk("IEND", new Uint8Array(0));
  return Buffer.concat([signature, chunk("IHDR", Uint8Array.from(header)), ...chunks, chunk("IDAT", pixels), end]);
}

const sizeOf = (width: number, height: number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(width);
  bytes.writeUInt32BE(height, 4);
  return [...bytes];
};

describe("a hostile picture is refused with what is wrong with it", () => {
  const empty = deflateSync(new Uint8Array(0));

  test.each([
    ["four thousand million pixels declared in 70 bytes", sizeOf(65_535, 65_535), /pixels/],
    ["a side of 4 GiB", sizeOf(0xffffffff, 1), /pixels/],
    ["no pixels", sizeOf(0, 7), /no pixels/],
    ["eight bytes for each of a million pixels", sizeOf(1024, 1024), /bytes of pixels/],
  ])("%s", (_what, size, says) => {
    expect(detailOf(png([...size, 16, 6, 0, 0, 0], empty))).toMatch(says);
  });

  test("pixels that inflate to a thousand times what the header says, without inflating them all", () => {
    const bomb = deflateSync(new Uint8Array(128 * 2 ** 20));
    const before = process.memoryUsage().arrayBuffers;
    expect(detailOf(png([...sizeOf(4, 4), 8, 2, 0, 0, 0], bomb))).toMatch(/more pixels than its header says/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 2 ** 20);
  });

  test("a colour profile that is a bomb is never opened", () => {
    const profile = Buffer.concat([Buffer.from("bomb\0\0"), deflateSync(new Uint8Array(64 * 2 ** 20))]);
    const before = process.memoryUsage().arrayBuffers;
    prepare(png([...sizeOf(4, 4), 8, 2, 0, 0, 0], empty, [["iCCP", profile]]));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 2 ** 20);
  });

  test("a format that PNG does not have", () => {
    expect(detailOf(png([...sizeOf(4, 4), 7, 2, 0, 0, 0], empty))).toMatch(/format/);
    expect(detailOf(png([...sizeOf(4, 4), 4, 2, 0, 0, 0], empty))).toMatch(/format/);
    expect(detailOf(png([...sizeOf(4, 4), 1, 0, 0, 0, 1], empty))).toMatch(/interlaced/);
  });

  test.each(Object.keys(golden.files))("%s that was cut off anywhere", (name) => {
    const whole = Buffer.from(golden.files[name] ?? "", "base64");
    expect(detailOf(whole)).toBeUndefined();
    for (let length = 0; length < whole.length - 1; length += 7) {
      expect(detailOf(whole.subarray(0, length)), `${length} bytes`).toEqual(expect.any(String));
    }
  });

  test("a PNG with a wrong checksum", () => {
    const whole = Buffer.from(golden.files["PNG, 8-bit colour"] ?? "", "base64");
    whole[30] = (whole[30] ?? 0) ^ 1;
    expect(detailOf(whole)).toBe("The picture is broken.");
  });

  test("a JPEG that declares 65,535 × 65,535 pixels, one of thousands of scans, one of four colours, two in one", () => {
    const whole = Buffer.from(golden.files["JPEG, no subsampling"] ?? "", "base64");
    const frame = whole.indexOf(Buffer.from([0xff, 0xc0]));
    const scan = whole.indexOf(Buffer.from([0xff, 0xda]));
    const huge = Buffer.from(whole);
    huge.fill(0xff, frame + 5, frame + 9);
    expect(detailOf(huge)).toMatch(/65535 × 65535 pixels/);
    const scans = Buffer.concat([whole.subarray(0, scan), ...Array(2000).fill(whole.subarray(scan, -2))]);
    expect(detailOf(Buffer.concat([scans, Buffer.from([0xff, 0xd9])]))).toMatch(/more than 64 scans/);
    const inks = Buffer.from(whole);
    inks[frame + 9] = 4;
    expect(detailOf(inks)).toMatch(/neither grey nor/);
    const twice = Buffer.concat([whole.subarray(0, scan), whole.subarray(frame)]);
    expect(detailOf(twice)).toMatch(/several pictures/);
  });

  test("a picture that is none, or no base64", () => {
    expect(detailOf(Buffer.from("GIF89a"))).toBe("The picture is neither PNG nor JPEG.");
    expect(detailOf(new Uint8Array(0))).toBe("The picture is neither PNG nor JPEG.");
    for (const image of ["a", "====", "@@@@", "iVBORw=0"]) {
      expect(plain.prepare({ image })).toMatchObject({ fault: { detail: "The picture is not base64." } });
    }
  });

  test("random bytes after a right beginning, or a right picture with bytes changed: never a throw", () => {
    const files = Object.values(golden.files).map((text) => Buffer.from(text, "base64"));
    const changes = fc.array(fc.tuple(fc.nat(4000), fc.nat(255)), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.constantFrom(...files), changes, (file, edits) => {
        const bytes = Buffer.from(file);
        for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
        const row = prepare(bytes);
        expect(row.ok || row.fault.code === "invalid_shape").toBe(true);
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.constantFrom(...files), fc.uint8Array({ maxLength: 200 }), fc.nat(60), (file, noise, keep) => {
        expect(detailOf(Buffer.concat([file.subarray(0, keep), noise]))).toEqual(expect.any(String));
      }),
      { numRuns: 300 },
    );
  });
});
