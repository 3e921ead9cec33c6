/** What a caller that can wait for its answer elsewhere says of it. */
export interface AsyncPreference {
  /** How long it waits for an answer here; absent: as long as any caller. */
  readonly waitMs?: number;
}

/**
 * `respond-async` and `wait` of a `Prefer` header (RFC 7240 §4.1, §4.3); `undefined` without the former. What cannot be read is
 * passed over, as the RFC has it; of what is said twice the first counts.
 */
export function asyncPreference(header: string | null): AsyncPreference | undefined {
  const said = new Map<string, string>();
  for (const one of header?.split(",") ?? []) {
    const [, name = "", value = ""] = /^\s*([^\s=;]+)\s*(?:=\s*"?([^";]*))?/.exec(one) ?? [];
    const known = name.toLowerCase();
    if (!said.has(known)) said.set(known, value.trim());
  }
  if (!said.has("respond-async")) return undefined;
  const wait = said.get("wait") ?? "";
  return /^[0-9]{1,6}$/.test(wait) ? { waitMs: Number(wait) * 1_000 } : {};
}
