import { type ErrorCode, errors } from "./errors.ts";
import type { Fault, Issue } from "./result.ts";

/** RFC 9457 problem details with our code: the error body of `/v1/predict`, `/admin/v1` and the origin. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly detail?: string;
  readonly issues?: readonly Issue[];
  readonly request_id?: string;
}

export function problemOf(fault: Fault, requestId?: string): Problem {
  const entry = errors[fault.code];
  return {
    type: `urn:ledge:error:${fault.code}`,
    title: entry.message,
    status: entry.status,
    code: fault.code,
    retryable: entry.retryable,
    ...(fault.detail === undefined ? {} : { detail: fault.detail }),
    ...(fault.issues === undefined ? {} : { issues: fault.issues }),
    ...(requestId === undefined ? {} : { request_id: requestId }),
  };
}

/** `Retry-After` in whole seconds, at least 1: a caller who waits that long is not early. */
export function retryAfterSeconds(retryAfterMs: number): number {
  return Math.max(1, Math.ceil(retryAfterMs / 1000));
}
