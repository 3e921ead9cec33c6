import { fail, ok, type Result } from "@ledge/contract";
import { nestsDeeperThan } from "@ledge/policy";

/** Deeper than any request of ours needs to be, shallow enough that recursion over a body is safe. */
const depthMax = 64;

/** A body as it was read, and how many bytes it took. */
export interface Read<T> {
  readonly value: T;
  readonly bytes: number;
}

/** Reads a JSON body. Errors: those of {@link readSizedJson}. */
export async function readJson(request: Request, bytesMax: number): Promise<Result<unknown>> {
  const read = await readSizedJson(request, bytesMax);
  return read.ok ? ok(read.value.value) : read;
}

/** Reads a JSON body. Errors: `unsupported_media_type`, `body_too_large`, and those of {@link parseJson}. */
export async function readSizedJson(request: Request, bytesMax: number): Promise<Result<Read<unknown>>> {
  if (!isJson(request.headers.get("Content-Type"))) return fail("unsupported_media_type");
  const bytes = await plainBytes(request, bytesMax);
  if (!bytes.ok) return bytes;
  const json = parseJson(bytes.value);
  // A compressed body is never JSON, so its header is looked at only when a body could not be read.
  const unreadable = !json.ok && json.fault.code !== "too_deep" && encodingOf(request) !== "identity";
  if (unreadable) return fail("unsupported_media_type");
  return json.ok ? ok({ value: json.value, bytes: bytes.value.length }) : json;
}

/** Parses JSON, strictly. Errors: `invalid_utf8`, `too_deep`, `invalid_json`. */
export function parseJson(bytes: Uint8Array): Result<unknown> {
  const text = decodeUtf8(bytes);
  if (text === undefined) return fail("invalid_utf8");
  if (nestsDeeperThan(text, depthMax)) return fail("too_deep", { detail: `At most ${depthMax} levels are taken.` });
  try {
    return ok(JSON.parse(text));
  } catch {
    return fail("invalid_json");
  }
}

/**
 * Reads a body that may be binary and may be compressed: gzip, or deflate as HTTP means it (RFC 9110: zlib). The bound
 * holds for what comes out as well as for what comes in. Errors: `unsupported_media_type`, `body_too_large`, `invalid_encoding`.
 */
export async function readBytes(request: Request, bytesMax: number): Promise<Result<Uint8Array>> {
  const type = request.headers.get("Content-Type");
  if (!isJson(type) && !/^application\/octet-stream\s*(?:;|$)/i.test(type?.trim() ?? "")) {
    return fail("unsupported_media_type");
  }
  const encoding = encodingOf(request);
  if (encoding === "identity") return plainBytes(request, bytesMax);
  if (encoding !== "gzip" && encoding !== "deflate") return fail("unsupported_media_type");
  if (Number(request.headers.get("Content-Length")) > bytesMax) return tooLarge(bytesMax);
  try {
    const { readable, writable } = new DecompressionStream(encoding);
    // What breaks here breaks the reading below, which says so.
    void request.body?.pipeTo(writable).catch(() => undefined);
    return request.body === null ? ok(new Uint8Array()) : await gathered(readable, bytesMax);
  } catch {
    return fail("invalid_encoding", { detail: `The body is not ${encoding}.` });
  }
}

function encodingOf(request: Request): string {
  return request.headers.get("Content-Encoding")?.trim().toLowerCase() ?? "identity";
}

function tooLarge(bytesMax: number): Result<never> {
  return fail("body_too_large", { detail: `At most ${bytesMax} bytes are taken.` });
}

/** No Content-Type is taken as JSON: Open Inference Protocol clients send none. */
function isJson(type: string | null): boolean {
  return type === null || type === "application/json" || jsonType.test(type.trim());
}

const jsonType = /^application\/(?:[a-z0-9.+-]+\+)?json\s*(?:;|$)/i;

/** The whole body as it came: one that lies about its length is cut off at the bound. Errors: `body_too_large`. */
async function plainBytes(request: Request, bytesMax: number): Promise<Result<Uint8Array>> {
  const declared = request.headers.get("Content-Length");
  if (declared !== null) {
    // The runtime holds a body to its declared length, so nothing needs counting; and `request.body` stays untouched:
    // making its stream visible to JavaScript costs more than reading it.
    return Number(declared) > bytesMax ? tooLarge(bytesMax) : ok(new Uint8Array(await request.arrayBuffer()));
  }
  return request.body === null ? ok(new Uint8Array()) : gathered(request.body, bytesMax);
}

/** Leaving the loop early cancels the stream, so what lies behind the bound is neither read nor inflated. */
async function gathered(stream: ReadableStream<Uint8Array>, bytesMax: number): Promise<Result<Uint8Array>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.byteLength;
    if (length > bytesMax) return tooLarge(bytesMax);
    chunks.push(chunk);
  }
  return ok(joined(chunks, length));
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
