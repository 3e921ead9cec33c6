import { isUtf8 } from "node:buffer";
import { hash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import { fail, ok, type Result } from "@ledge/contract";

/** What is read of a request. */
export type Sent = Readable & { readonly headers: IncomingHttpHeaders };

/** How deep arrays and objects may nest. No body of this API needs more than eight levels. */
export const depthMax = 32;

/**
 * Reads a JSON body within bounds. The declared length is checked first, the bytes that come are counted: a header
 * can lie. Fails with `unsupported_media_type`, `body_too_large`, `invalid_utf8`, `too_deep` or `invalid_json`, and with
 * `invalid_credentials` when it is not the body that was signed.
 *
 * @param sha256 that was signed, hex; `undefined` when nothing was
 */
export async function readJson(request: Sent, bytesMax: number, sha256?: string): Promise<Result<unknown>> {
  const bytes = await readBytes(request, bytesMax, ["application/json"], sha256);
  return bytes.ok ? parseJson(bytes.value) : bytes;
}

/** Reads a body of one of these media types within bounds, as {@link readJson} does, and does not parse it. */
export async function readBytes(
  request: Sent,
  bytesMax: number,
  types: readonly string[],
  sha256?: string,
): Promise<Result<Uint8Array>> {
  const { "content-type": declared = "", "content-encoding": encoding = "identity" } = request.headers;
  const type = declared.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (!types.includes(type) || encoding.trim().toLowerCase() !== "identity") return fail("unsupported_media_type");
  const bytes = await collectBytes(request, bytesMax);
  if (!bytes.ok || sha256 === undefined || hash("sha256", bytes.value, "hex") === sha256) return bytes;
  return fail("invalid_credentials", { cause: "the body is not the one that was signed" });
}

/** Whoever stops reading early leaves the connection as it is, for the refusal to go out on. */
function collectBytes(request: Sent, bytesMax: number): Promise<Result<Buffer>> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (result: Result<Buffer>) => {
      request.off("data", taken).off("end", ended).off("error", broken).off("close", broken);
      resolve(result);
    };
    const tooLarge = () => settle(fail("body_too_large", { detail: `At most ${bytesMax} bytes are taken.` }));
    const taken = (chunk: Buffer) => {
      bytes += chunk.byteLength;
      chunks.push(chunk);
      if (bytes <= bytesMax) return;
      request.pause();
      tooLarge();
    };
    const ended = () => settle(ok(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)));
    // The caller hung up, or the framing of the body is broken.
    const broken = (error?: Error) =>
      settle(fail("invalid_json", { cause: `the body broke off: ${String(error).slice(0, 200)}` }));
    if (Number(request.headers["content-length"] ?? 0) > bytesMax) return tooLarge();
    request.on("data", taken).on("end", ended).on("error", broken).on("close", broken);
  });
}

const decoder = new TextDecoder();

/** Bytes to a value. Depth is checked before parsing, so that a hostile body never builds a tree. */
export function parseJson(bytes: Uint8Array): Result<unknown> {
  if (!isUtf8(bytes)) return fail("invalid_utf8");
  const text = decoder.decode(bytes);
  if (nestsDeeper(text, depthMax)) return fail("too_deep", { detail: `At most ${depthMax} levels are taken.` });
  try {
    return ok(JSON.parse(text));
  } catch {
    // The parser's own message quotes the body, and bodies hold prompts.
    return fail("invalid_json");
  }
}

function nestsDeeper(text: string, max: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (inString) {
      if (unit === 0x5c) at++;
      else if (unit === 0x22) inString = false;
    } else if (unit === 0x22) inString = true;
    else if (unit === 0x5b || unit === 0x7b) {
      if (++depth > max) return true;
    } else if (unit === 0x5d || unit === 0x7d) depth--;
  }
  return false;
}
