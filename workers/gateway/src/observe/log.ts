import { errors, isErrorCode } from "@ledge/contract";
import type { Trail } from "../exchange.ts";

export interface LogLine {
  readonly requestId: string;
  readonly method: string;
  /** The route's pattern, not the path: a path can carry what a caller typed. */
  readonly route: string;
  readonly status: number;
  readonly totalMs: number;
}

/** One JSON line a request, on the Worker's console. No key, no token, no input and no answer is ever in it. */
export function logRequest(line: LogLine, trail: Trail): void {
  const { tenant, tier, placed, code, cause, model, cache, flags } = trail;
  const owner = isErrorCode(code) ? errors[code].owner : undefined;
  const named = model === undefined ? undefined : `${model.name}@${model.version}`;
  console.log(
    JSON.stringify({ ...line, tenant, model: named, tier, placed, cache: cache?.kind, flags, code, owner, cause }),
  );
}
