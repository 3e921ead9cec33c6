import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request that a scripted server got. */
export interface Got {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  /** Parsed where it is JSON. */
  readonly body: unknown;
  /** Resolves when whoever asked has closed the connection before the answer was out. */
  readonly left: Promise<void>;
}

export type Script = (got: Got, response: ServerResponse) => void | Promise<void>;

export interface ScriptedServer {
  readonly url: string;
  readonly got: readonly Got[];
  /** How it answers from now on. */
  script(script: Script): void;
  close(): Promise<void>;
}

/** An HTTP server that answers as each test says: the edge of the world, where no real server can be made to fail so. */
export async function startScripted(first: Script): Promise<ScriptedServer> {
  const got: Got[] = [];
  let script = first;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString("utf8");
    const left = new Promise<void>((resolve) => {
      response.once("close", () => {
        if (!response.writableFinished) resolve();
      });
    });
    const one = {
      method: request.method ?? "",
      path: request.url ?? "",
      headers: request.headers,
      body: request.headers["content-type"]?.startsWith("application/json") ? JSON.parse(text) : undefined,
      left,
    };
    got.push(one);
    await script(one, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    got,
    script: (next) => {
      got.length = 0;
      script = next;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Script {
  return (_got, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(body));
  };
}

/** Events as they are given, each as one `data:`; then the end, unless `cut`, which breaks the connection. */
export function events(bodies: readonly (object | string)[], how: "end" | "cut" | "hang" = "end"): Script {
  return async (_got, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const body of bodies) {
      const data = typeof body === "string" ? body : JSON.stringify(body);
      await new Promise<void>((resolve) => response.write(`data: ${data}\n\n`, () => resolve()));
    }
    if (how === "end") response.end();
    if (how === "cut") response.destroy();
  };
}
