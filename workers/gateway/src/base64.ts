/** Bytes as base64: in JSON, and in what is cached. Code units at once: more arguments than that can exhaust a stack. */
const bytesAtOnce = 8192;

export function toBase64(bytes: Uint8Array): string {
  let units = "";
  for (let at = 0; at < bytes.length; at += bytesAtOnce) {
    units += String.fromCharCode(...bytes.subarray(at, at + bytesAtOnce));
  }
  return btoa(units);
}

/** `undefined` when the text is not base64. */
export function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0));
  } catch {
    return undefined;
  }
}
