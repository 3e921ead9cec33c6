import { fail, ok, type Result } from "@ledge/contract";
import { nestsDeeperThan } from "@ledge/policy";

/** Deeper than any request of ours needs to be, shallow enough that recursion over a body is safe. */
const depthMax = 64;

/** Reads a JSON body. Errors: `unsupported_media_type`, `body_too_large`, `invalid_utf8`, `too_deep`, `invalid_json`. */
export async function readJson(request: Request, bytesMax: number): Promise<Result<unknown>> {
  if (!isJson(request.headers.get("Content-Type"))) return fail("unsupported_media_type");
  const bytes = await readBytes(request, bytesMax);
  if (bytes === undefined) return fail("body_too_large", { detail: `At most ${bytesMax} bytes are taken.` });
  const text = decodeUtf8(bytes);
  if (text === undefined) return unreadable(request.headers, "invalid_utf8");
  if (nestsDeeperThan(text, depthMax)) return fail("too_deep", { detail: `At most ${depthMax} levels are taken.` });
  try {
    return ok(JSON.parse(text));
  } catch {
    return unreadable(request.headers, "invalid_json");
  }
}

/** A compressed body is never JSON, so its header is looked at only when a body could not be read. */
function unreadable(headers: Headers, code: "invalid_utf8" | "invalid_json"): Result<never> {
  const encoding = headers.get("Content-Encoding");
  return fail(encoding === null || encoding.toLowerCase() === "identity" ? code : "unsupported_media_type");
}

/** No Content-Type is taken as JSON: Open Inference Protocol clients send none. */
function isJson(type: string | null): boolean {
  return type === null || type === "application/json" || jsonType.test(type.trim());
}

const jsonType = /^application\/(?:[a-z0-9.+-]+\+)?json\s*(?:;|$)/i;

/** The whole body, or `undefined` when it is larger than the bound: a body that lies about its length is cut off there. */
async function readBytes(request: Request, bytesMax: number): Promise<Uint8Array | undefined> {
  const declared = request.headers.get("Content-Length");
  if (declared !== null) {
    // The runtime holds a body to its declared length, so nothing needs counting; and `request.body` stays untouched:
    // making its stream visible to JavaScript costs more than reading it.
    return Number(declared) > bytesMax ? undefined : new Uint8Array(await request.arrayBuffer());
  }
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body) {
    length += chunk.byteLength;
    if (length > bytesMax) return undefined;
    chunks.push(chunk);
  }
  return joined(chunks, length);
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
