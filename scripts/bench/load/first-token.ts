import { Agent, request } from "node:http";

export interface StreamTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Milliseconds from the request of a stream until its first text is here, for each of so many streams, one after the other on one
 * connection. Throws when a stream is no answer.
 */
export async function firstTokenMs(target: StreamTarget, streams: number): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const all: number[] = [];
  try {
    for (let at = 0; at < streams; at++) all.push(await oneStream(target, agent));
  } finally {
    agent.destroy();
  }
  return all;
}

function oneStream({ url, headers, body }: StreamTarget, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const startedMs = performance.now();
    let firstMs: number | undefined;
    let heard = "";
    const asked = request(url, { method: "POST", agent, headers }, (answer) => {
      answer.on("data", (data: Buffer) => {
        heard += data.toString("latin1");
        if (heard.includes('"content":"')) firstMs ??= performance.now() - startedMs;
      });
      answer.on("end", () => {
        if (answer.statusCode === 200 && firstMs !== undefined && heard.includes("[DONE]")) resolve(firstMs);
        else reject(new Error(`${url} answered ${answer.statusCode}: ${heard.slice(0, 500)}`));
      });
      answer.on("error", reject);
    });
    asked.on("error", reject);
    asked.end(body);
  });
}
