import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text as textOf } from "node:stream/consumers";
import type { Allowed, Issued, Profile } from "../profile.ts";
import type { RunningTarget } from "../start-ledge.ts";
import { Account, type Held } from "./account.ts";
import type { Fault } from "./faults.ts";

/** A minute of its limits of requests: short, so that nobody waits for one. */
const minuteMs = 4_000;
/** How long the specimen that looks before it takes looks. */
const lookMs = 5;

interface Asked {
  readonly max_tokens?: number;
  readonly stream?: boolean;
}

/**
 * A gateway in one process that keeps every rule, or breaks the one that it is told to: it shows that each rule can hold and
 * can fail.
 */
class Specimen {
  readonly #originUrl: string;
  readonly #has: (fault: Fault) => boolean;
  readonly #accounts = new Map<string, Account>();

  constructor(originUrl: string, fault: Fault | undefined) {
    this.#originUrl = originUrl;
    this.#has = (one) => one === fault;
  }

  issue(allowed: Allowed): Issued {
    const key = `key-${this.#accounts.size}`;
    const first = [...this.#accounts.values()][0];
    const shared = this.#has("has one limit for all keys") ? first : undefined;
    this.#accounts.set(key, shared ?? new Account(allowed, minuteMs, this.#has));
    return { key, spent: async () => this.#account(key).spent };
  }

  restart(): void {
    if (!this.#has("forgets at a restart")) return;
    for (const [key, { allowed }] of this.#accounts) this.#accounts.set(key, new Account(allowed, minuteMs, this.#has));
  }

  #account(key: string): Account {
    const account = this.#accounts.get(key);
    if (account === undefined) throw new Error(`there is no key ${key}`);
    return account;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await textOf(request);
    const account = this.#account(String(request.headers.authorization).replace("Bearer ", ""));
    const body = parsed(text);
    if (body === undefined) {
      if (this.#has("counts malformed calls")) account.take(0);
      return send(response, 400);
    }
    // The rules' prompts are bounded by what they declare: what is held is the output.
    const tokens = body.max_tokens ?? 0;
    if (this.#has("asks the origin before it refuses")) await (await this.#ask(text)).text();
    const held = this.#has("looks before it takes") ? await this.#lookThenTake(account, tokens) : account.take(tokens);
    if ("retryAfterS" in held) return send(response, 429, { "Retry-After": String(held.retryAfterS) });
    await this.#answer(account, held, text, body, response);
  }

  /** Whoever looks at the same time sees the same, and all of them are admitted. */
  async #lookThenTake(account: Account, tokens: number): Promise<Held | { readonly retryAfterS: number }> {
    const copy = account.copy();
    await new Promise((resolve) => setTimeout(resolve, lookMs));
    const seen = copy.take(tokens);
    if ("retryAfterS" in seen) return seen;
    account.charge(tokens);
    return seen;
  }

  #ask(body: string): Promise<Response> {
    return fetch(`${this.#originUrl}/v1/chat/completions`, { method: "POST", body });
  }

  async #answer(account: Account, held: Held, text: string, body: Asked, response: ServerResponse): Promise<void> {
    const stream = body.stream === true;
    const asked = stream ? JSON.stringify({ ...body, stream_options: { include_usage: true } }) : text;
    let said = "";
    let left = false;
    response.on("close", () => {
      left ||= !response.writableEnded;
    });
    try {
      const upstream = await this.#ask(asked);
      if (stream && this.#has("frees a stream's place when it begins")) account.leave();
      response.writeHead(upstream.status, { "Content-Type": upstream.headers.get("Content-Type") ?? "" });
      const decoder = new TextDecoder();
      for await (const bytes of upstream.body ?? []) {
        said += decoder.decode(bytes, { stream: true });
        response.write(bytes);
      }
    } catch {
      response.destroy();
    }
    this.#settle(account, held, said, { stream, left });
    response.end();
  }

  #settle(account: Account, held: Held, said: string, { stream, left }: { stream: boolean; left: boolean }): void {
    const [, input, output] = /"prompt_tokens":(\d+),"completion_tokens":(\d+)/.exec(said) ?? [];
    const used = output === undefined ? undefined : { input: Number(input), output: Number(output) };
    if (left && this.#has("forgets calls whose caller leaves")) return;
    if (used === undefined && this.#has("forgets calls that fail")) return;
    if (!(stream && this.#has("frees a stream's place when it begins"))) account.leave();
    const dear = left && this.#has("charges more for a stream that was left");
    const charged = dear && used !== undefined ? { ...used, output: used.output * 2 } : used;
    account.settle(held, stream && this.#has("counts no streams") ? undefined : charged);
  }
}

function parsed(text: string): Asked | undefined {
  try {
    return JSON.parse(text) as Asked;
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, status: number, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end("{}");
}

const profile: Profile = {
  name: "specimen",
  about: "",
  claims: new Set(["requests", "tokens", "in-flight", "retry-after", "quota", "money", "usage", "durable"]),
  dress: ({ key }) => ({ Authorization: `Bearer ${key}` }),
  async issue() {
    throw new Error("the specimen issues its own");
  },
};

/** The specimen over this origin. */
export async function startSpecimen(originUrl: string, fault?: Fault): Promise<RunningTarget> {
  const specimen = new Specimen(originUrl, fault);
  const server = createServer((request, response) => void specimen.serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    target: {
      url,
      profile,
      model: "chat-one",
      minuteMs,
      issue: async (allowed) => specimen.issue(allowed),
      restart: async () => specimen.restart(),
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
