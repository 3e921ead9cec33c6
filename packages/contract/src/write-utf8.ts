/**
 * UTF-8 by hand: this package has no platform types, and a text is encoded in the same turn into a buffer that is kept.
 * Same bytes as `TextEncoder`: a lone surrogate becomes U+FFFD (WHATWG Encoding, "UTF-8 encode").
 */

/** Bytes that `text` can take at most: three per UTF-16 code unit. */
export function utf8BytesMax(text: string): number {
  return text.length * 3;
}

/**
 * Writes `text` into `into` from index 0.
 *
 * @param into at least {@link utf8BytesMax} bytes
 * @returns bytes written
 */
export function writeUtf8(text: string, into: Uint8Array): number {
  let at = 0;
  for (let index = 0; index < text.length; index++) {
    let point = text.charCodeAt(index);
    if (point < 0x80) {
      into[at++] = point;
      continue;
    }
    if (point >= 0xd800 && point <= 0xdfff) {
      const low = point <= 0xdbff ? text.charCodeAt(index + 1) : 0;
      if (low >= 0xdc00 && low <= 0xdfff) {
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
        index++;
      } else point = 0xfffd;
    }
    at = writeWide(point, into, at);
  }
  return at;
}

/** Writes a code point from U+0080 on; returns the index after it. */
function writeWide(point: number, into: Uint8Array, from: number): number {
  let at = from;
  if (point < 0x800) into[at++] = 0xc0 | (point >> 6);
  else {
    if (point < 0x10000) into[at++] = 0xe0 | (point >> 12);
    else {
      into[at++] = 0xf0 | (point >> 18);
      into[at++] = 0x80 | ((point >> 12) & 63);
    }
    into[at++] = 0x80 | ((point >> 6) & 63);
  }
  into[at++] = 0x80 | (point & 63);
  return at;
}
