import { fail, headerLengthHeader, headers, ok, type Result } from "@ledge/contract";
import { sha256Hex } from "./sign.ts";

/** One call of the gateway's, as it is sent on. Its body is read to the end: it may be sent twice, and is signed. */
export interface Call {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly body: Uint8Array;
  /** Hex. */
  readonly bodySha256: string;
  /** What the origin is told beside the body. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly model: string;
  readonly continent: string | undefined;
  /** The origin that is asked only when no other can be. */
  readonly avoid?: string | undefined;
  /** Milliseconds since 1970. */
  readonly deadlineMs: number;
  /** The same call again gives the same answer and costs little: a second one may be sent to be faster. */
  readonly hedged: boolean;
  /** Its caller wants a stream. */
  readonly streams?: boolean;
  /** Another model may answer in place of this one: it is not worth a long wait. */
  readonly hasFallback?: boolean;
}

/** What goes on to the origin as it came. */
const passedOn = ["Content-Type", headerLengthHeader, headers.requestId, headers.payer, headers.priority];
/** Of a call that names no deadline. */
const timeoutMsDefault = 60_000;

/** Errors: `invalid_request` when the body breaks off. */
export async function callOf(request: Request, nowMs: number): Promise<Result<Call>> {
  const { pathname, search } = new URL(request.url);
  const named = request.headers;
  const said = Number(named.get(headers.deadline));
  try {
    const body = new Uint8Array(await request.arrayBuffer());
    return ok({
      method: request.method,
      path: pathname + search,
      body,
      bodySha256: sha256Hex(body),
      headers: passedOn.flatMap((name) => {
        const value = named.get(name);
        return value === null ? [] : [[name, value] as const];
      }),
      model: named.get(headers.model) ?? "",
      continent: named.get(headers.continent) ?? undefined,
      avoid: named.get(headers.avoid) ?? undefined,
      deadlineMs: said > 0 ? said : nowMs + timeoutMsDefault,
      // Text is made anew each time, and long: what graphs give is not.
      streams: named.get("Accept") === "text/event-stream",
      hasFallback: named.get(headers.hold) === "short",
      hedged: request.method === "POST" && pathname !== "/v1/chat/completions",
    });
  } catch {
    return fail("invalid_request", { detail: "The body broke off." });
  }
}
