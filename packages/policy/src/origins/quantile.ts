/** An estimate of a high quantile that keeps one number: it moves up with what was slower, and down a little with what was not. */
export interface Quantile {
  readonly valueMs: number;
  readonly samples: number;
}

export const noQuantile: Quantile = { valueMs: 0, samples: 0 };

/** Each sample moves it by this part of itself at most. */
const step = 0.1;

/** The estimate of quantile `q` after another sample. */
export function sampled({ valueMs, samples }: Quantile, q: number, sampleMs: number): Quantile {
  if (samples === 0) return { valueMs: Math.max(1, sampleMs), samples: 1 };
  const factor = sampleMs > valueMs ? 1 + step * q : 1 - step * (1 - q);
  return { valueMs: Math.max(1, valueMs * factor), samples: samples + 1 };
}

/** Slower than this, a call is among the slowest twentieth; `undefined` while too few were seen. */
export function slowerThan95({ valueMs, samples }: Quantile): number | undefined {
  return samples >= samplesMin ? valueMs : undefined;
}

export const slowest = 0.95;
const samplesMin = 50;
