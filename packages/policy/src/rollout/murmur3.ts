/**
 * MurmurHash3 (x86, 32 bit) of a text, each UTF-16 code unit taken as one block of 32 bits. Not for secrets: it deals callers
 * to arms, for which it needs to be even and fast, and to be the same on every machine that deals.
 * Source: Austin Appleby, SMHasher (public domain).
 */
export function murmur3(text: string, seed = 0): number {
  let hash = seed | 0;
  for (let at = 0; at < text.length; at++) {
    let block = Math.imul(text.charCodeAt(at), 0xcc9e2d51);
    block = Math.imul((block << 15) | (block >>> 17), 0x1b873593);
    hash ^= block;
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash ^= text.length * 4;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
