/** The package brings no types of its own. */
declare module "fourier-transform" {
  /**
   * The spectrum of real values, from zero to Nyquist: `length / 2 + 1` real and imaginary parts, not normalised. What comes back
   * is overwritten by the next call of the same length.
   *
   * @param values as many as a power of two, at least 2
   */
  export function fft(values: Float64Array): [real: Float64Array, imaginary: Float64Array];
}
