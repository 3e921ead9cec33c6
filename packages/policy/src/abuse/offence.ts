import type { BlockReason, ErrorCode } from "@ledge/contract";

export interface Offence {
  readonly points: number;
  readonly reason: BlockReason;
  /** Only what was not asked for before counts: who asks for one wrong thing again and again looks for nothing. */
  readonly distinct?: true;
}

const looking = { points: 0.5, reason: "enumeration", distinct: true } as const;
const flooding = { points: 1, reason: "prompts" } as const;

/** What a refusal says against its caller; most say nothing. A token that has expired is usually an honest one. */
const offences: Readonly<Partial<Record<ErrorCode, Offence>>> = {
  invalid_credentials: { points: 1, reason: "credentials" },
  expired_credentials: { points: 0.25, reason: "credentials" },
  scope_denied: looking,
  model_not_found: looking,
  version_not_found: looking,
  alias_not_found: looking,
  key_not_found: looking,
  body_too_large: flooding,
  input_too_large: flooding,
  context_length_exceeded: flooding,
  input_refused: flooding,
  guard_refused: flooding,
};

export function offenceOf(code: ErrorCode): Offence | undefined {
  return offences[code];
}
