import { fail, type ImageStep, imageStep, ok, type PredictInput, type Result, type TensorSpec } from "@ledge/contract";
import { readStep } from "../read-step.ts";
import { decodeBase64 } from "./base64.ts";
import { onlyFeed } from "./feed.ts";
import { decodeJpeg, isJpeg } from "./picture/decode-jpeg.ts";
import { decodePng } from "./picture/decode-png.ts";
import { type Picture, PictureError, toColour, toGrey } from "./picture/picture.ts";
import { isPng } from "./picture/png-chunks.ts";
import { middleOf, resize } from "./picture/resize.ts";
import type { PreparedRow, Preparer } from "./preparer.ts";

/** PNG or JPEG to normalised pixels, `[channels, height, width]` or `[height, width, channels]` a row. */
export function readPicture(step: unknown, inputs: readonly TensorSpec[]): Result<Preparer> {
  const read = readStep("preprocess", imageStep, step);
  if (!read.ok) return read;
  const spec = read.value;
  const input = onlyFeed(inputs, ["FP32"], 4);
  if (!input.ok) return input;
  const shape = shapeOf(spec);
  const [, ...expected] = input.value.shape;
  if (expected.some((size, at) => size !== -1 && size !== shape[at])) {
    return fail("model_not_ready", {
      cause: `preprocess: the step makes [${shape.join(", ")}] a row and the graph takes [${expected.join(", ")}]`,
    });
  }
  if ([spec.mean, spec.std].some(({ length }) => length !== 1 && length !== spec.channels)) {
    return fail("model_not_ready", { cause: `preprocess: mean and std have one value or ${spec.channels}` });
  }
  return ok({ takes: "image", prepare: (given) => preparePicture(given, spec, input.value.name) });
}

function preparePicture(given: PredictInput, spec: ImageStep, name: string): Result<PreparedRow> {
  if (typeof given === "string" || !("image" in given)) {
    return fail("invalid_shape", { detail: `This model takes pictures: send {"image": "<PNG or JPEG in base64>"}.` });
  }
  const picture = decodePicture(given.image);
  if (!picture.ok) return picture;
  const [height, width] = spec.size;
  const { width: right, height: bottom } = picture.value;
  const whole = { left: 0, top: 0, right, bottom };
  const box = spec.resize === "cover" ? middleOf(picture.value, width, height) : whole;
  const inChannels = spec.channels === 1 ? toGrey(picture.value) : toColour(picture.value);
  const data = normalise(resize(inChannels, width, height, box), spec);
  return ok({ tokens: width * height, tensors: { [name]: { datatype: "FP32", shape: shapeOf(spec), data } } });
}

/** Fault: `invalid_shape`. Decoders throw whatever they meet in a broken file, so anything thrown is the file's fault. */
function decodePicture(base64: string): Result<Picture> {
  const bytes = decodeBase64(base64);
  if (bytes === undefined) return fail("invalid_shape", { detail: "The picture is not base64." });
  try {
    if (isPng(bytes)) return ok(decodePng(bytes));
    if (isJpeg(bytes)) return ok(decodeJpeg(bytes));
    return fail("invalid_shape", { detail: "The picture is neither PNG nor JPEG." });
  } catch (error) {
    const detail = error instanceof PictureError ? error.message : "The picture is broken.";
    return fail("invalid_shape", { detail });
  }
}

function shapeOf({ size, channels, layout }: ImageStep): readonly number[] {
  return layout === "nchw" ? [channels, ...size] : [...size, channels];
}

function normalise({ data, channels }: Picture, { scale, mean, std, layout }: ImageStep): Float32Array {
  const values = new Float32Array(data.length);
  const pixels = data.length / channels;
  for (let channel = 0; channel < channels; channel++) {
    const [average = 0, deviation = 1] = [mean[channel] ?? mean[0], std[channel] ?? std[0]];
    for (let pixel = 0; pixel < pixels; pixel++) {
      const from = pixel * channels + channel;
      const to = layout === "nchw" ? channel * pixels + pixel : from;
      values[to] = ((data[from] ?? 0) * scale - average) / deviation;
    }
  }
  return values;
}
