/** In how many bits two lists of 32-bit words differ, counted one by one. */
export function bitsApart(a: Int32Array = new Int32Array(), b: Int32Array = new Int32Array()): number {
  let count = 0;
  for (const [at, word] of a.entries()) {
    for (let bits = (word ^ (b[at] ?? 0)) >>> 0; bits > 0; bits = Math.floor(bits / 2)) count += bits % 2;
  }
  return count;
}
