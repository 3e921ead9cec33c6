import { type AudioStep, audioStep, fail, ok, type PredictInput, type Result, type TensorSpec } from "@ledge/contract";
import { readStep } from "../read-step.ts";
import { decodeBase64 } from "./base64.ts";
import { onlyFeed } from "./feed.ts";
import type { PreparedRow, Preparer } from "./preparer.ts";
import { framesOf, logMel } from "./sound/log-mel.ts";
import { readWav, SoundError } from "./sound/read-wav.ts";
import { resample } from "./sound/resample.ts";

/** Values of a row: 64 MiB of floats. */
const valuesMax = 2 ** 24;

/** WAV to samples, `[length]` a row, or log-mel frames, `[frames, bands]`. */
export function readSound(step: unknown, inputs: readonly TensorSpec[]): Result<Preparer> {
  const read = readStep("preprocess", audioStep, step);
  if (!read.ok) return read;
  const spec = read.value;
  const longest = shapeOf(spec, spec.samplesMax);
  const input = onlyFeed(inputs, ["FP32"], longest.length + 1);
  if (!input.ok) return input;
  const { name, shape } = input.value;
  const slip = slipOf(spec, longest, shape.slice(1));
  if (slip !== undefined) return fail("model_not_ready", { cause: `preprocess: ${slip}` });
  return ok({ takes: "audio", prepare: (given) => prepareSound(given, spec, name) });
}

/** What of a step does not fit itself or the graph. */
function slipOf(spec: AudioStep, longest: readonly number[], expected: readonly number[]): string | undefined {
  const { features, sampleRate, pad } = spec;
  if (features.kind === "log-mel" && (features.lowest >= features.highest || features.highest > sampleRate / 2)) {
    return `lowest and highest must rise and end at ${sampleRate / 2} Hz`;
  }
  if (longest.reduce((product, size) => product * size, 1) > valuesMax)
    return `a row has more than ${valuesMax} values`;
  const fits = expected.every((size, at) => size === -1 || size === longest[at]);
  if (!fits) return `the step makes [${longest.join(", ")}] a row and the graph takes [${expected.join(", ")}]`;
  // What a shorter sound would be filled up with is the step's to say.
  return expected[0] === -1 || pad ? undefined : "the graph takes one length only: say pad";
}

/** A row's shape for a sound of so many samples. */
function shapeOf({ features }: AudioStep, samples: number): number[] {
  return features.kind === "raw" ? [samples] : [framesOf(samples, features), features.bands];
}

function prepareSound(given: PredictInput, spec: AudioStep, name: string): Result<PreparedRow> {
  if (typeof given === "string" || !("audio" in given)) {
    return fail("invalid_shape", { detail: `This model takes sounds: send {"audio": "<WAV in base64>"}.` });
  }
  const samples = decodeSound(given.audio, spec);
  if (!samples.ok) return samples;
  const heard = samples.value;
  const shape = shapeOf(spec, spec.pad ? spec.samplesMax : heard.length);
  const { features, sampleRate } = spec;
  let data = heard;
  if (features.kind === "log-mel") data = logMel(heard, shape[0] ?? 1, { ...features, sampleRate });
  else if (spec.pad) {
    data = new Float32Array(spec.samplesMax);
    data.set(heard);
  }
  return ok({ tokens: heard.length, tensors: { [name]: { datatype: "FP32", shape, data } } });
}

/** Mono samples at the step's rate, `samplesMax` at most. Fault: `invalid_shape`. */
function decodeSound(base64: string, { sampleRate, samplesMax }: AudioStep): Result<Float32Array> {
  const bytes = decodeBase64(base64);
  if (bytes === undefined) return fail("invalid_shape", { detail: "The sound is not base64." });
  try {
    // A little more than is kept: the filter looks ahead.
    const sound = readWav(bytes, samplesMax / sampleRate + 0.1);
    const samples = resample(sound.samples, sound.sampleRate, sampleRate, samplesMax);
    return samples.length === 0 ? fail("invalid_shape", { detail: "The sound has no samples." }) : ok(samples);
  } catch (error) {
    if (error instanceof SoundError) return fail("invalid_shape", { detail: error.message });
    throw error;
  }
}
