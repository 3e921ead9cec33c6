/** Mono samples, −1 to 1 (floats may go beyond). */
export interface Sound {
  /** Hertz. */
  readonly sampleRate: number;
  readonly samples: Float32Array;
}

/** What is wrong with a sound, as a public sentence; thrown by the reader and caught by the step. */
export class SoundError extends Error {
  override readonly name = "SoundError";
}

interface Format {
  readonly float: boolean;
  readonly channels: number;
  readonly sampleRate: number;
  /** Bits of a sample. */
  readonly bits: number;
}

const pcm = 1;
const ieeeFloat = 3;
/** The format proper stands in the first two bytes of a GUID. */
const extensible = 0xfffe;
/** A writer that cannot seek back leaves the size so: the samples go on to the end. */
const untilEnd = 0xffffffff;
const channelsMax = 32;
/** Floats as large as 32-bit integers are somebody's mistake of scale; larger ones would only make the graph overflow. */
const loudest = 2 ** 31;

/**
 * Reads a WAV (RIFF, little-endian): PCM of 8, 16, 24 or 32 bits or IEEE floats, channels mixed to one by their mean.
 * Throws {@link SoundError}.
 *
 * @param secondsMax how much is read; what comes after is left
 */
export function readWav(bytes: Uint8Array, secondsMax: number): Sound {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (nameAt(bytes, 0) !== "RIFF" || nameAt(bytes, 8) !== "WAVE") throw new SoundError("The sound is no WAV.");
  let format: Format | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const name = nameAt(bytes, at);
    const size = view.getUint32(at + 4, true);
    const begin = at + 8;
    const open = name === "data" && size === untilEnd;
    const end = open ? bytes.length : begin + size;
    if (end > bytes.length) throw new SoundError("The WAV ends in the middle.");
    if (name === "fmt ") format = readFormat(new DataView(bytes.buffer, bytes.byteOffset + begin, size));
    if (name === "data") {
      if (format === undefined) throw new SoundError("The WAV has samples before it says what they are.");
      return mix(new DataView(bytes.buffer, bytes.byteOffset + begin, end - begin), format, secondsMax);
    }
    at = end + (size % 2);
  }
  throw new SoundError("The WAV ends before its samples.");
}

function nameAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function readFormat(chunk: DataView): Format {
  if (chunk.byteLength < 16) throw new SoundError("The WAV does not say what its samples are.");
  const tag = chunk.getUint16(0, true);
  const kind = tag === extensible && chunk.byteLength >= 26 ? chunk.getUint16(24, true) : tag;
  const channels = chunk.getUint16(2, true);
  const sampleRate = chunk.getUint32(4, true);
  const bits = chunk.getUint16(14, true);
  const taken = (kind === pcm && [8, 16, 24, 32].includes(bits)) || (kind === ieeeFloat && [32, 64].includes(bits));
  if (!taken) throw new SoundError("The WAV is neither PCM of 8, 16, 24 or 32 bits nor floats of 32 or 64.");
  if (channels < 1 || channels > channelsMax) throw new SoundError(`The WAV has not 1 to ${channelsMax} channels.`);
  if (sampleRate < 1000 || sampleRate > 192_000)
    throw new SoundError("The WAV has not 1,000 to 192,000 samples a second.");
  if (chunk.getUint16(12, true) !== (channels * bits) / 8) throw new SoundError("The WAV contradicts itself.");
  return { float: kind === ieeeFloat, channels, sampleRate, bits };
}

function mix(data: DataView, format: Format, secondsMax: number): Sound {
  const { channels, sampleRate, bits } = format;
  const frameBytes = (channels * bits) / 8;
  const frames = Math.min(Math.floor(data.byteLength / frameBytes), Math.ceil(secondsMax * sampleRate));
  const sampleAt = reader(data, format);
  const samples = new Float32Array(frames);
  for (let frame = 0; frame < frames; frame++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += sampleAt(frame * frameBytes + (channel * bits) / 8);
    const sample = sum / channels;
    // Also false for NaN.
    if (!(Math.abs(sample) <= loudest)) throw new SoundError("The WAV holds numbers that no sound has.");
    samples[frame] = sample;
  }
  return { sampleRate, samples };
}

function reader(data: DataView, { float, bits }: Format): (at: number) => number {
  if (float) return bits === 32 ? (at) => data.getFloat32(at, true) : (at) => data.getFloat64(at, true);
  switch (bits) {
    case 8:
      return (at) => (data.getUint8(at) - 128) / 2 ** 7;
    case 16:
      return (at) => data.getInt16(at, true) / 2 ** 15;
    case 24:
      return (at) => (data.getUint16(at, true) + data.getInt8(at + 2) * 2 ** 16) / 2 ** 23;
    default:
      return (at) => data.getInt32(at, true) / 2 ** 31;
  }
}
