/** Base64 by hand: this package has no platform types, and `Buffer` is not everywhere. */

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const padding = 61;
const unknown = 255;
const values = new Uint8Array(128).fill(unknown);
for (let value = 0; value < 64; value++) values[alphabet.charCodeAt(value)] = value;

/**
 * Decodes standard base64, with or without `=` at its end (RFC 4648 section 4).
 *
 * @returns undefined when it is none: another character, or a length that no bytes have
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  let length = text.length;
  for (let trimmed = 0; trimmed < 2 && text.charCodeAt(length - 1) === padding; trimmed++) length--;
  if (length % 4 === 1 || (length < text.length && text.length % 4 !== 0)) return undefined;
  const bytes = new Uint8Array(Math.floor((length * 3) / 4));
  let held = 0;
  let bits = 0;
  let at = 0;
  for (let index = 0; index < length; index++) {
    const value = values[text.charCodeAt(index)] ?? unknown;
    if (value === unknown) return undefined;
    held = (held << 6) | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (held >> bits) & 255;
    }
  }
  return bytes;
}
