export interface DeadlineRule {
  readonly defaultMs: number;
  readonly maxMs: number;
}

/**
 * How long this call may take, from its `Ledge-Timeout-Ms` header: a whole number of milliseconds ≥ 1.
 * More than `maxMs` is cut to it; `undefined` means the header is not such a number.
 */
export function timeoutOf(rule: DeadlineRule, header: string | null): number | undefined {
  if (header === null) return rule.defaultMs;
  if (!/^[0-9]{1,9}$/.test(header)) return undefined;
  const wantedMs = Number(header);
  return wantedMs < 1 ? undefined : Math.min(wantedMs, rule.maxMs);
}
