import type { Reply } from "../../reply.ts";

/** Smaller answers grow or gain nothing worth the time. Bytes. */
const bytesMin = 1024;

/**
 * Compresses an answer for a caller who asks for gzip or deflate, as model-server clients do. Cloudflare replaces
 * `Accept-Encoding` by what it takes itself, and says in `cf.clientAcceptEncoding` what the caller sent.
 */
export function compressed(reply: Reply, request: Request): Reply {
  const { body } = reply;
  if (body === null || body instanceof ReadableStream || body.length < bytesMin) return reply;
  const accepted = request.cf?.clientAcceptEncoding;
  const encoding = chosen(typeof accepted === "string" ? accepted : (request.headers.get("Accept-Encoding") ?? ""));
  if (encoding === undefined) return reply;
  const stream = new Blob([body]).stream().pipeThrough(new CompressionStream(encoding));
  return {
    ...reply,
    body: stream,
    headers: { ...reply.headers, "Content-Encoding": encoding, Vary: "Accept-Encoding" },
  };
}

/** The first of ours that is not refused (RFC 9110: `q=0`). */
function chosen(accepted: string): "gzip" | "deflate" | undefined {
  for (const part of accepted.toLowerCase().split(",")) {
    const [name = "", ...parameters] = part.split(";").map((text) => text.trim());
    if (parameters.some((text) => /^q=0(?:\.0*)?$/.test(text))) continue;
    if (name === "gzip" || name === "deflate") return name;
  }
  return undefined;
}
