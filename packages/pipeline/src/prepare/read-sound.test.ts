import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TensorSpec } from "@ledge/contract";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { choosePreparer } from "./choose-preparer.ts";
import type { Preparer } from "./preparer.ts";

interface Case {
  readonly name: string;
  readonly wav: string;
  readonly step: { readonly kind: string; readonly features: { readonly kind: string } };
  readonly tokens: number;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** What numpy makes of short sounds. */
const { cases }: { readonly cases: readonly Case[] } = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "..", "golden", "sounds.golden.json"), "utf8"),
);
const samples: TensorSpec = { name: "samples", datatype: "FP32", shape: [-1, -1] };
const frames: TensorSpec = { name: "frames", datatype: "FP32", shape: [-1, -1, -1] };
const raw = { kind: "audio", sampleRate: 8000, samplesMax: 8000, pad: false, features: { kind: "raw" } };
const mel = {
  ...raw,
  features: { kind: "log-mel", window: 200, hop: 80, bands: 12, lowest: 60, highest: 3800 },
};

function made(preparer: ReturnType<typeof choosePreparer>): Preparer {
  if (!preparer.ok) throw new Error(preparer.fault.cause);
  return preparer.value;
}

const plain = made(choosePreparer(raw, [samples], new Map()));
const prepare = (bytes: Uint8Array, preparer = plain) =>
  preparer.prepare({ audio: Buffer.from(bytes).toString("base64") });

function detailOf(bytes: Uint8Array): string | undefined {
  const row = prepare(bytes);
  if (row.ok) return undefined;
  expect(row.fault.code).toBe("invalid_shape");
  return row.fault.detail;
}

describe("a sound", () => {
  test.each(cases.map((each) => [each.name, each] as const))("%s, is the tensor that numpy makes of it", (_, each) => {
    const input = each.step.features.kind === "raw" ? samples : frames;
    const row = made(choosePreparer(each.step, [input], new Map())).prepare({ audio: each.wav });
    if (!row.ok) throw new Error(row.fault.detail);
    const tensor = row.value.tensors[input.name];
    expect([row.value.tokens, tensor?.shape]).toEqual([each.tokens, each.shape]);
    const apart = each.values.map((value, at) => Math.abs(value - Number(tensor?.data[at])));
    // Samples are single floats; near silence a logarithm makes much of their last bit.
    expect(Math.max(...apart)).toBeLessThan(each.step.features.kind === "raw" ? 1.1e-5 : 1e-3);
  });

  test("of a format that names itself in an extension is read like the plain one", () => {
    const short = wav({ data: [1, 2, 3, 4] });
    const long = wav({ format: extended([1, 1, 8000, 16_000, 2, 16], 1), data: [1, 2, 3, 4] });
    expect(prepare(long)).toEqual(prepare(short));
    expect(prepare(short).ok).toBe(true);
  });

  test("whose writer could not seek back goes on to its end", () => {
    expect(prepare(wav({ data: [1, 2, 3, 4], dataBytes: 0xffffffff }))).toEqual(prepare(wav({ data: [1, 2, 3, 4] })));
  });

  test("is kept to samplesMax, however long it is", () => {
    const long = prepare(wav({ data: new Array(40_000).fill(7) }));
    expect(long.ok && long.value.tokens).toBe(8000);
  });

  test("of silence has the floor in every band, not infinity", () => {
    const row = prepare(wav({ data: new Array(800).fill(0) }), made(choosePreparer(mel, [frames], new Map())));
    if (!row.ok) throw new Error(row.fault.detail);
    const values = Array.from(row.value.tensors.frames?.data ?? [], Number);
    expect(new Set(values)).toEqual(new Set([Math.fround(Math.log(1e-10))]));
  });
});

describe("an audio step", () => {
  test.each([
    ["a graph of another rank", raw, [frames], /2 dimensions/],
    ["a graph of integers", raw, [{ ...samples, datatype: "INT16" }], /INT16/],
    ["a graph of another length", { ...raw, pad: true }, [{ ...samples, shape: [-1, 16_000] }], /\[8000\]/],
    ["one length without padding", raw, [{ ...samples, shape: [1, 8000] }], /say pad/],
    ["other bands", mel, [{ ...frames, shape: [-1, -1, 80] }], /80/],
    ["bands beyond Nyquist", { ...mel, features: { ...mel.features, highest: 5000 } }, [frames], /4000 Hz/],
    [
      "more frames than memory holds",
      { ...mel, samplesMax: 30_000_000, features: { ...mel.features, hop: 1 } },
      [frames],
      /values/,
    ],
    ["a member it does not know", { ...raw, gain: 2 }, [samples], /gain/],
  ] as const)("is not ready for %s, and says so", (_what, step, inputs, says) => {
    const refused = choosePreparer(step, inputs as readonly TensorSpec[], new Map());
    expect(refused).toMatchObject({ ok: false, fault: { code: "model_not_ready" } });
    if (!refused.ok) expect(refused.fault.cause).toMatch(says);
  });

  test("takes sounds only", () => {
    expect(plain.prepare("la la la")).toMatchObject({ fault: { code: "invalid_shape" } });
    expect(plain.prepare({ image: "" })).toMatchObject({ fault: { code: "invalid_shape" } });
  });
});

/** tag, channels, sample rate, bytes a second, bytes a frame, bits */
type Fields = readonly [number, number, number, number, number, number];

function formatOf([tag, channels, rate, perSecond, frame, bits]: Fields): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(tag, 0);
  bytes.writeUInt16LE(channels, 2);
  bytes.writeUInt32LE(rate, 4);
  bytes.writeUInt32LE(perSecond, 8);
  bytes.writeUInt16LE(frame, 12);
  bytes.writeUInt16LE(bits, 14);
  return bytes;
}

function extended(fields: Fields, subformat: number): Buffer {
  const more = Buffer.alloc(24);
  more.writeUInt16LE(22, 0);
  more.writeUInt16LE(subformat, 8);
  return Buffer.concat([formatOf([0xfffe, ...(fields.slice(1) as [number, number, number, number, number])]), more]);
}

function wav(parts: { format?: Buffer; data: readonly number[] | Buffer; dataBytes?: number }): Buffer {
  const format = parts.format ?? formatOf([1, 1, 8000, 16_000, 2, 16]);
  const data = Buffer.isBuffer(parts.data) ? parts.data : Buffer.from(Int16Array.from(parts.data).buffer);
  const size = (bytes: number) => {
    const field = Buffer.alloc(4);
    field.writeUInt32LE(bytes);
    return field;
  };
  const riff = [Buffer.from("RIFF"), size(0), Buffer.from("WAVEfmt "), size(format.length), format];
  return Buffer.concat([...riff, Buffer.from("data"), size(parts.dataBytes ?? data.length), data]);
}

describe("a hostile sound is refused with what is wrong with it", () => {
  test.each([
    ["no sound at all", Buffer.from("ID3 and so on"), /no WAV/],
    ["nothing", Buffer.alloc(0), /no WAV/],
    ["three gigabytes declared in 60 bytes", wav({ data: [1, 2], dataBytes: 0xc0000000 }), /ends in the middle/],
    ["no samples", wav({ data: [] }), /no samples/],
    ["half a sample", wav({ data: Buffer.of(1) }), /no samples/],
    ["a format of eight bytes", wav({ format: Buffer.alloc(8), data: [1] }), /does not say/],
    ["telephone compression", wav({ format: formatOf([7, 1, 8000, 8000, 1, 8]), data: [1] }), /neither PCM/],
    ["twelve bits", wav({ format: formatOf([1, 1, 8000, 12_000, 2, 12]), data: [1] }), /neither PCM/],
    ["no channels", wav({ format: formatOf([1, 0, 8000, 0, 0, 16]), data: [1] }), /channels/],
    ["65,535 channels", wav({ format: formatOf([1, 65_535, 8000, 0, 65_534, 16]), data: [1] }), /channels/],
    ["no samples a second", wav({ format: formatOf([1, 1, 0, 0, 2, 16]), data: [1] }), /a second/],
    ["a billion a second", wav({ format: formatOf([1, 1, 1e9, 0, 2, 16]), data: [1] }), /a second/],
    ["frames of another size", wav({ format: formatOf([1, 2, 8000, 32_000, 2, 16]), data: [1] }), /contradicts/],
    [
      "numbers that are not finite",
      wav({ format: formatOf([3, 1, 8000, 32_000, 4, 32]), data: Buffer.from(Float32Array.of(0, Number.NaN).buffer) }),
      /no sound has/,
    ],
  ])("%s", (_what, bytes, says) => {
    expect(detailOf(bytes)).toMatch(says);
  });

  test("one that was cut off anywhere, and one that is no base64", () => {
    const whole = Buffer.from(cases[0]?.wav ?? "", "base64");
    for (let length = 0; length < whole.length; length += 3) {
      expect(detailOf(whole.subarray(0, length)), `${length} bytes`).toEqual(expect.any(String));
    }
    expect(plain.prepare({ audio: "%%%%" })).toMatchObject({ fault: { detail: "The sound is not base64." } });
  });

  test("random bytes, or a right sound with bytes changed: never a throw, never more than samplesMax", () => {
    const files = cases.map((each) => Buffer.from(each.wav, "base64"));
    const changes = fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { minLength: 1, maxLength: 8 });
    const both = [plain, made(choosePreparer(mel, [frames], new Map()))];
    fc.assert(
      fc.property(fc.constantFrom(...files), changes, fc.constantFrom(...both), (file, edits, preparer) => {
        const bytes = Buffer.from(file);
        for (const [at, byte] of edits) bytes[at] = byte;
        const row = prepare(bytes, preparer);
        expect(row.ok ? row.value.tokens <= 8000 : row.fault.code === "invalid_shape").toBe(true);
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        expect(detailOf(noise)).toEqual(expect.any(String));
      }),
    );
  });
});
