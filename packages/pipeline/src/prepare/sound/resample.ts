/** Zero crossings of the sinc on each side, and where the low-pass begins to fall, as a share of the lower Nyquist frequency. */
const crossings = 6;
const rollOff = 0.99;

/**
 * Changes the sample rate by a sinc under a Hann window, low-passed at the lower of the two rates, so that nothing folds back.
 *
 * @param lengthMax samples of the answer; what comes after is left
 */
export function resample(samples: Float32Array, from: number, to: number, lengthMax: number): Float32Array {
  if (from === to) return samples.subarray(0, lengthMax);
  const common = greatestDivisor(from, to);
  const [source, target] = [from / common, to / common];
  const length = Math.min(lengthMax, Math.ceil((samples.length * target) / source));
  const resampled = new Float32Array(length);
  const phases = new Map<number, Taps>();
  for (let at = 0; at < length; at++) {
    const phase = at % target;
    let taps = phases.get(phase);
    if (taps === undefined) {
      taps = tapsOf(phase, source, target);
      phases.set(phase, taps);
    }
    const first = Math.floor(at / target) * source + taps.first;
    let sum = 0;
    for (let tap = 0; tap < taps.weights.length; tap++) sum += (samples[first + tap] ?? 0) * (taps.weights[tap] ?? 0);
    resampled[at] = sum;
  }
  return resampled;
}

interface Taps {
  /** The first sample that counts, from the beginning of the phase's cycle. */
  readonly first: number;
  readonly weights: Float64Array;
}

/** Outputs repeat their weights every `target` samples: one set a phase. */
function tapsOf(phase: number, source: number, target: number): Taps {
  const base = Math.min(source, target) * rollOff;
  const reach = (crossings * source) / base;
  const centre = (phase * source) / target;
  const first = Math.ceil(centre - reach);
  const weights = new Float64Array(Math.floor(centre + reach) - first + 1);
  for (let tap = 0; tap < weights.length; tap++) {
    const time = ((first + tap - centre) / source) * base;
    const window = Math.cos((time * Math.PI) / crossings / 2) ** 2;
    const sinc = time === 0 ? 1 : Math.sin(time * Math.PI) / (time * Math.PI);
    weights[tap] = sinc * window * (base / source);
  }
  return { first, weights };
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
