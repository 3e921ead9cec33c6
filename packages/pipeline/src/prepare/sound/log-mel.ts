/// <reference path="./fourier-transform.d.ts" />
import type { AudioStep } from "@ledge/contract";
import { fft } from "fourier-transform";

export type MelSpec = Extract<AudioStep["features"], { readonly kind: "log-mel" }> & Pick<AudioStep, "sampleRate">;

/** Energies below this count as this: a logarithm of silence must not be infinite. */
const energyMin = 1e-10;

/** Windows that lie whole in a sound; a shorter sound is one window, filled with silence. */
export function framesOf(samples: number, { window, hop }: Pick<MelSpec, "window" | "hop">): number {
  return samples < window ? 1 : 1 + Math.floor((samples - window) / hop);
}

/**
 * Log-mel frames, `[frames, bands]`: a periodic Hann window, the power of a Fourier transform of the next power of two, triangles
 * evenly spaced on the mel scale of HTK (2595 log₁₀(1 + f ÷ 700)) without normalisation, natural logarithm, floor 10⁻¹⁰.
 *
 * @param frames how many; silence follows the samples
 */
export function logMel(samples: Float32Array, frames: number, spec: MelSpec): Float32Array {
  const { window, hop, bands } = spec;
  const size = 2 ** Math.ceil(Math.log2(Math.max(2, window)));
  const hann = Float64Array.from({ length: window }, (_, at) => 0.5 - 0.5 * Math.cos((2 * Math.PI * at) / window));
  const filters = melFilters(spec, size);
  const values = new Float32Array(frames * bands);
  const windowed = new Float64Array(size);
  for (let frame = 0; frame < frames; frame++) {
    for (let at = 0; at < window; at++) windowed[at] = (samples[frame * hop + at] ?? 0) * (hann[at] ?? 0);
    const [real, imaginary] = fft(windowed);
    for (const [band, { first, weights }] of filters.entries()) {
      let energy = 0;
      for (const [at, weight] of weights.entries()) {
        const bin = first + at;
        energy += weight * ((real[bin] ?? 0) ** 2 + (imaginary[bin] ?? 0) ** 2);
      }
      values[frame * bands + band] = Math.log(Math.max(energy, energyMin));
    }
  }
  return values;
}

interface Filter {
  /** The first bin that counts. */
  readonly first: number;
  readonly weights: readonly number[];
}

function melFilters({ bands, lowest, highest, sampleRate }: MelSpec, size: number): Filter[] {
  const [low, high] = [toMel(lowest), toMel(highest)];
  const corner = (at: number) => toHertz(low + ((high - low) * at) / (bands + 1));
  return Array.from({ length: bands }, (_, band) => {
    const [left, middle, right] = [corner(band), corner(band + 1), corner(band + 2)];
    const binOf = (hertz: number) => (hertz * size) / sampleRate;
    const first = Math.ceil(binOf(left));
    const count = Math.max(0, Math.floor(Math.min(size / 2, binOf(right))) - first + 1);
    const weights = Array.from({ length: count }, (_, at) => {
      const hertz = ((first + at) * sampleRate) / size;
      return Math.max(0, Math.min((hertz - left) / (middle - left), (right - hertz) / (right - middle)));
    });
    return { first, weights };
  });
}

function toMel(hertz: number): number {
  return 2595 * Math.log10(1 + hertz / 700);
}

function toHertz(mel: number): number {
  return 700 * (10 ** (mel / 2595) - 1);
}
