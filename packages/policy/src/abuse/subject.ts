import { ipOf } from "../address/ip.ts";

/**
 * Whom an address stands for: `ip:203.0.113.7`, and of IPv6 its /64, which one household has whole: `ip:2001:db8:0:1::/64`.
 * `undefined` for what is no address, and for this machine itself: on a laptop everybody is the same.
 */
export function addressSubject(text: string | null): string | undefined {
  const bytes = text === null ? undefined : ipOf(text);
  if (bytes === undefined || bytes[0] === undefined) return undefined;
  if (bytes.length === 4) return bytes[0] === 127 ? undefined : `ip:${bytes.join(".")}`;
  if (bytes.slice(0, 15).every((byte) => byte === 0)) return undefined;
  const groups = [0, 2, 4, 6].map((at) => (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)).toString(16));
  return `ip:${groups.join(":")}::/64`;
}

/** What an operator may mean by a text: a subject as it is listed, an address, or a key's id. */
export function subjectsNamed(text: string): readonly string[] {
  const address = addressSubject(text.replace(/^ip:/, "").replace(/::\/64$/, "::"));
  return [text, ...(address === undefined ? [] : [address]), ...(/^[0-9a-f]{24}$/.test(text) ? [`key:${text}`] : [])];
}
