import type { ErrorCode } from "../errors.ts";
import type { AdminScope } from "../tenancy/admins.ts";
import type { Action } from "../tenancy/scopes.ts";
import type { QueryName } from "./query.ts";
import type { SchemaName } from "./schemas.ts";

/** A route, as a caller sees it. */

/** The surfaces, each with an error shape of its own. */
export type Surface = "Ledge" | "OpenAI" | "Open Inference Protocol" | "Operator" | "Operations";

export interface Answer {
  readonly description: string;
  /** Absent: any JSON. */
  readonly schema?: SchemaName;
  /** Bytes instead of JSON. */
  readonly bytes?: true;
  /** Text of this type instead of JSON. */
  readonly mediaType?: string;
  /** JSON with binary data behind it as well. */
  readonly binary?: true;
  /** Never a stream, also where others are. */
  readonly whole?: true;
  /** No body. */
  readonly empty?: true;
  readonly example?: unknown;
}

export interface Operation {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** What its query may hold. */
  readonly query?: readonly QueryName[];
  /** With `{name}` for a parameter. */
  readonly path: string;
  readonly id: string;
  readonly surface: Surface;
  readonly summary: string;
  /** Whose credential it takes; absent: anybody may ask. */
  readonly credential?: "caller" | "operator";
  /** What the credential must be allowed: a scope of the operator's, or an action of a caller's. */
  readonly scope?: AdminScope | Action;
  /** A call to a model: takes a deadline, and says which model and tier answered. */
  readonly inference?: true;
  readonly request?:
    | { readonly schema: SchemaName; readonly example: unknown; readonly binary?: true }
    | { readonly bytes: true };
  readonly answers: Readonly<Record<number, Answer>>;
  /** The schema of each event's data when the answer streams. */
  readonly events?: SchemaName;
  readonly errors: readonly ErrorCode[];
  /** Codes that may stand in what it answers, besides. */
  readonly tells?: readonly ErrorCode[];
}

/** What every route can say. */
export const always = ["internal_error"] as const;
/** The operator's own credentials, and the Worker that takes them. */
export const operating = [
  "missing_credentials",
  "invalid_credentials",
  "expired_credentials",
  "scope_denied",
  "directory_unavailable",
  "caller_blocked",
  "operator_unavailable",
  ...always,
] as const;
/** Credentials and limits. */
export const admitting = [
  "missing_credentials",
  "invalid_credentials",
  "expired_credentials",
  "caller_blocked",
  "rate_limited",
  "identity_unavailable",
  ...always,
] as const;
/** A JSON body. */
export const reading = [
  "invalid_utf8",
  "invalid_json",
  "too_deep",
  "invalid_request",
  "body_too_large",
  "unsupported_media_type",
] as const;
/** A call to a model. */
export const calling = [
  ...reading,
  ...admitting,
  "tokens_limited",
  "too_many_in_flight",
  "input_too_large",
  "invalid_header",
  "model_not_found",
  "unsupported_task",
  "upstream_failed",
  "overloaded",
  "origin_unavailable",
  "model_not_ready",
  "deadline_exceeded",
  "not_cached",
] as const;
/** A call that its tenant pays for. */
export const spending = ["quota_exceeded", "ledger_unavailable"] as const;
