import { toBase64 } from "../base64.ts";
import type { Digests } from "../ports.ts";

/** The entity tag of what is kept: weak, as it is given in more than one form. 128 bits of its hash, base64url. */
export function etagOf(text: string, { sha256Hex }: Pick<Digests, "sha256Hex">): string {
  const hex = sha256Hex(text);
  const bytes = Uint8Array.from({ length: 16 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16));
  return `W/"${toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}"`;
}
