import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

export interface FakeAdmin {
  readonly url: string;
  /** What was stored, by SHA-256. */
  readonly blobs: ReadonlyMap<string, Buffer>;
  /** `METHOD /path` of every call, below /admin/v1, and the JSON that came with it. */
  readonly calls: { readonly call: string; readonly json: unknown; readonly authorization: string | undefined }[];
  /** Manifests registered, by model. */
  readonly registered: ReadonlyMap<string, unknown[]>;
  /** What other paths answer, as `METHOD /path`: a status and a body. */
  readonly answers: Map<string, readonly [number, unknown]>;
  close(): Promise<void>;
}

/** A stand-in for the operator's API that keeps what it gets: for what the command line sends, not for what it does. */
export async function startFakeAdmin(): Promise<FakeAdmin> {
  const blobs = new Map<string, Buffer>();
  const registered = new Map<string, unknown[]>();
  const calls: { call: string; json: unknown; authorization: string | undefined }[] = [];
  const answers = new Map<string, readonly [number, unknown]>();
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const path = (request.url ?? "").replace(/^\/admin\/v1/, "");
    const isJson = request.headers["content-type"] === "application/json";
    const json = isJson ? JSON.parse(body.toString()) : undefined;
    calls.push({ call: `${request.method} ${path}`, json, authorization: request.headers.authorization });
    const given = answers.get(`${request.method} ${path}`);
    if (given !== undefined) return send(response, ...given);
    return send(response, ...answerOf(request, path, body, json));
  });

  function answerOf({ method }: IncomingMessage, path: string, body: Buffer, json: { manifest?: unknown }): Answer {
    const [, sha256 = ""] = /^\/blobs\/([0-9a-f]{64})$/.exec(path) ?? [];
    if (sha256 !== "" && method === "HEAD") return blobs.has(sha256) ? [200] : [404];
    if (sha256 !== "" && method === "PUT") {
      const digest = createHash("sha256").update(body).digest("hex");
      if (digest !== sha256) return [422, { title: "The bytes are not those.", code: "digest_mismatch" }];
      blobs.set(sha256, body);
      return [201, { sha256, bytes: body.length }];
    }
    const [, model = ""] = /^\/models\/([^/]+)\/versions$/.exec(path) ?? [];
    if (model !== "" && method === "POST") {
      const versions = registered.get(model) ?? [];
      registered.set(model, [...versions, json.manifest]);
      const version = String(versions.length + 1);
      return [201, { model, version, digest: "d".repeat(64), created: true, stable: "1" }];
    }
    return [404, { title: "There is nothing at this path.", code: "not_found" }];
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return { url: `http://127.0.0.1:${port}`, blobs, calls, registered, answers, close };
}

type Answer = readonly [status: number, body?: unknown];

function send(response: ServerResponse, status: number, body?: unknown): void {
  response.writeHead(status, { "Content-Type": status < 400 ? "application/json" : "application/problem+json" });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
