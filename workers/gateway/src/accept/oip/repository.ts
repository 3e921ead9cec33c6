import { fail, indexRequest, loadRequest, ok, parse, type Result } from "@ledge/contract";
import { jsonReply, type Reply } from "../../reply.ts";

/** The model repository extension: what there is, and loading and unloading it. */

/** A version as the repository index lists it. */
export interface RepositoryEntry {
  readonly name: string;
  readonly version: string;
  readonly ready: boolean;
  /** Why it cannot be called; empty when it can. */
  readonly reason: string;
}

/** Clients send no body at all. Errors: `invalid_request`. */
export function acceptIndex(body: unknown): Result<{ readonly readyOnly: boolean }> {
  const request = parse(indexRequest, body ?? {});
  return request.ok ? ok({ readyOnly: request.value.ready === true }) : request;
}

export function presentIndex(entries: readonly RepositoryEntry[], readyOnly: boolean): Reply {
  const listed = readyOnly ? entries.filter(({ ready }) => ready) : entries;
  return jsonReply(
    listed.map(({ name, version, ready, reason }) => ({
      name,
      version,
      state: ready ? "READY" : "UNAVAILABLE",
      reason,
    })),
  );
}

export interface LoadAsked {
  /** Triton's ModelConfig as JSON text. */
  readonly config?: string;
  /** Files in base64 by their paths, `1/model.onnx`. */
  readonly files: ReadonlyMap<string, string>;
}

/** `POST …/load` and `…/unload`; Triton's clients send `{}` or parameters. Errors: `invalid_request`, `unsupported_parameter`. */
export function acceptLoad(body: unknown): Result<LoadAsked> {
  const request = parse(loadRequest, body ?? {});
  if (!request.ok) return request;
  const files = new Map<string, string>();
  let config: string | undefined;
  for (const [name, value] of Object.entries(request.value.parameters ?? {})) {
    if (name === "config" && typeof value === "string") config = value;
    else if (name.startsWith("file:") && typeof value === "string") files.set(name.slice(5), value);
    else if (name !== "unload_dependents") {
      return fail("unsupported_parameter", {
        detail: "The parameters are 'config', 'file:<version>/<path>' and 'unload_dependents'.",
      });
    }
  }
  return ok({ files, ...(config === undefined ? {} : { config }) });
}

/** Success has no body: clients look at the status only. */
export function presentDone(): Reply {
  return { status: 200, body: null, headers: {} };
}
