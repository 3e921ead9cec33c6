import type { Result } from "./result.ts";
import type { Scope } from "./tenancy/scopes.ts";

/** A bearer token whose issuer vouches for it: what it says of its bearer. */
export interface VerifiedToken {
  /** The issuer's name in this deployment. */
  readonly issuer: string;
  readonly tenant: string;
  readonly user: string;
  readonly scopes: readonly Scope[];
  readonly tier?: string;
  /** How long it may be believed without asking again: it ends no later than the token. Milliseconds. */
  readonly goodForMs: number;
  /** When it ends, milliseconds since 1970; absent where its issuer may take it back at any time. */
  readonly expiresAtMs?: number;
}

/** The identity Worker, on RPC for the gateway only. A throw means that it cannot be reached. */
export interface IdentityService {
  /** Errors: `invalid_credentials`, `expired_credentials`, `identity_unavailable`. */
  verify(token: string): Promise<Result<VerifiedToken>>;
}
