import { headers, type JobReply } from "@ledge/contract";
import type { RunOutcome } from "@ledge/policy";

/** What an answer of the gateway's says of the run. */
export function outcomeOf({ status, headers: said, body }: JobReply): RunOutcome {
  if (status < 400) return {};
  const retryAfterS = Number(said[headers.retryAfter.toLowerCase()] ?? 0);
  return {
    code: codeIn(body) ?? "internal_error",
    retryAfterMs: Number.isFinite(retryAfterS) ? retryAfterS * 1_000 : 0,
  };
}

/** Problem details carry it at their top, OpenAI's errors inside. */
function codeIn(body: string): string | undefined {
  try {
    const { code, error } = JSON.parse(body) as {
      readonly code?: unknown;
      readonly error?: { readonly code?: unknown };
    };
    const found = code ?? error?.code;
    return typeof found === "string" ? found : undefined;
  } catch {
    return undefined;
  }
}

/** What is kept of the headers: what they say of the answer, not of the exchange. */
export function saidOfAnswer(said: JobReply["headers"]): JobReply["headers"] {
  return Object.fromEntries(
    Object.entries(said).filter(([name]) => /^(?:ledge-|cache-status$|content-type$)/.test(name)),
  );
}
