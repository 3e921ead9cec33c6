import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text as textOf } from "node:stream/consumers";
import { ledge } from "../profiles/ledge.ts";
import type { RunningTarget } from "../start-ledge.ts";
import { type Asked, type Entry, hash, isIn, keyOf, type Scope } from "./entries.ts";
import type { Fault } from "./faults.ts";
import { Flight } from "./flight.ts";
import { eventOf, eventsOf, recordOf, wholeOf } from "./render.ts";
import { type CacheWish, wishOf } from "./wish.ts";

/**
 * A gateway in one process and without any care for speed, that keeps every rule, or breaks the one that it is told to: it
 * shows that each rule can hold and can fail. It speaks Ledge's headers.
 */
class Specimen {
  readonly #originUrl: string;
  readonly #has: (fault: Fault) => boolean;
  readonly #entries = new Map<string, Entry>();
  readonly #flights = new Map<string, Flight>();
  readonly #stale = new Map<string, { stale_while_revalidate_s: number; stale_if_error_s: number }>();
  #latest: Entry | undefined;

  constructor(originUrl: string, fault: Fault | undefined) {
    this.#originUrl = originUrl;
    this.#has = (one) => one === fault;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await textOf(request);
    const { method = "", url = "", headers } = request;
    if (url.startsWith("/admin/v1")) return send(response, 200, this.#operate(`${method} ${url.slice(9)}`, text));
    const body = JSON.parse(text) as Asked["body"];
    const asked = { tenant: String(headers.authorization).replace("Bearer key-", ""), text, body };
    const wish = wishOf(headers, this.#has);
    if (wish === undefined) return send(response, 400, { error: { code: "invalid_header" } });
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    await this.#answer(asked, wish, response, gone.signal);
  }

  async #answer(asked: Asked, wish: CacheWish, response: ServerResponse, gone: AbortSignal): Promise<void> {
    const key = keyOf(asked, wish, this.#has);
    const entry = wish.noCache || wish.noStore ? undefined : this.#entries.get(key);
    const use = entry === undefined ? "none" : this.#useOf(entry, wish);
    if (entry !== undefined && use !== "none" && use !== "on-error") {
      if (use === "behind") void this.#fly(key, asked, wish, gone);
      return this.#replay(entry, asked, wish, response, "hit");
    }
    if (wish.onlyIfCached) return send(response, 504, { error: { code: "not_cached" } });
    const bypass = wish.noStore || !this.#isKept(asked, wish);
    const flight = this.#fly(key, asked, wish, gone);
    const status = `Ledge; ${bypass ? "fwd=bypass" : `fwd=${wish.noCache ? "request" : "miss"}; stored; key="${key}"`}`;
    response.setHeader("Cache-Status", this.#has("says hit to everything") ? "Ledge; hit; ttl=1" : status);
    const stale = use === "on-error" ? entry : undefined;
    if (stale !== undefined || asked.body.stream !== true)
      return await this.#whole(flight, asked, wish, response, stale);
    await this.#live(flight, asked, wish, response);
  }

  /** What may be done with an entry now: "behind" and "on-error" say what the origin is asked for. */
  #useOf({ storedMs, ttlS, model }: Entry, wish: CacheWish): "fresh" | "behind" | "on-error" | "none" {
    const ageS = (Date.now() - storedMs) / 1000;
    const staleS = ageS - (this.#has("never lets an answer die") ? Number.POSITIVE_INFINITY : ttlS);
    if (ageS > wish.maxAgeS || -staleS < wish.minFreshS) return "none";
    if (staleS <= wish.maxStaleS) return "fresh";
    const { stale_while_revalidate_s = 0, stale_if_error_s = 0 } = this.#stale.get(model) ?? {};
    if (staleS <= stale_while_revalidate_s && !this.#has("waits at each expiry")) return "behind";
    return staleS <= stale_if_error_s && !this.#has("gives up when the origin does") ? "on-error" : "none";
  }

  #isKept({ body: { temperature, seed } }: Asked, { ttlS }: CacheWish): boolean {
    const sampled = temperature === undefined || Number(temperature) > 0;
    if (!sampled || this.#has("keeps what is sampled")) return true;
    return (typeof seed === "number" || ttlS !== undefined) && !this.#has("never keeps what is sampled");
  }

  #fly(key: string, asked: Asked, wish: CacheWish, gone: AbortSignal): Flight {
    const kept = !wish.noStore && this.#isKept(asked, wish);
    const shared = kept && !wish.noCache && !this.#has("flies alone");
    const flying = shared ? this.#flights.get(key) : undefined;
    if (flying !== undefined) return flying;
    const { stream_options: _options, ...body } = asked.body;
    const sent = JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } });
    const call = (signal: AbortSignal) =>
      fetch(`${this.#originUrl}/v1/chat/completions`, { method: "POST", body: sent, signal });
    const leader = this.#has("lands with its leader") || this.#has("keeps what was sent before the caller left");
    const flight = new Flight(call, this.#has, leader ? gone : AbortSignal.any([]));
    if (shared) this.#flights.set(key, flight);
    void flight.landed.then((landing) => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
      const half =
        this.#has("keeps half a stream") || (gone.aborted && this.#has("keeps what was sent before the caller left"));
      const failed = this.#has("keeps failures") && flight.chunks.length === 0;
      if (kept && (landing.whole || failed || (half && flight.chunks.length > 0))) this.#keep(key, flight, asked, wish);
    });
    return flight;
  }

  #keep(id: string, { chunks }: Flight, { tenant, body }: Asked, { ttlS, tags }: CacheWish): void {
    const record = recordOf(chunks, this.#has);
    const etag = `W/"${hash(JSON.stringify(record))}"`;
    const entry = { id, tenant, model: String(body.model), tags, chunks: record, etag, storedMs: Date.now() };
    this.#latest = { ...entry, ttlS: ttlS ?? 3_600 };
    if (!this.#has("keeps nothing")) this.#entries.set(id, this.#latest);
  }

  #replay(kept: Entry, { body }: Asked, wish: CacheWish, response: ServerResponse, how: "hit" | "fwd=stale"): void {
    const entry = this.#has("answers whoever asked last") ? (this.#latest ?? kept) : kept;
    const ageS = (Date.now() - entry.storedMs) / 1000;
    response.setHeader("Age", this.#has("has no clock") ? 0 : Math.floor(ageS));
    response.setHeader("Cache-Status", `Ledge; ${how}; ttl=${Math.floor(entry.ttlS - ageS)}; key="${entry.id}"`);
    const etag = this.#has("makes a new ETag each time") ? `"${Math.random()}"` : entry.etag;
    response.setHeader("ETag", etag);
    const known = wish.ifNoneMatch?.split(",").map((one) => one.trim()) ?? [];
    if (known.includes(etag) || known.includes("*")) send(response, 304);
    else if (body.stream !== true) send(response, 200, wholeOf(entry.chunks));
    else {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.end(eventsOf(entry.chunks, usageAsked(body), this.#has));
    }
  }

  async #whole(flight: Flight, asked: Asked, wish: CacheWish, response: ServerResponse, stale?: Entry): Promise<void> {
    const landing = await within(wish.timeoutMs, flight.landed);
    if (landing?.whole === true) {
      if (asked.body.stream !== true) return send(response, 200, wholeOf(flight.chunks));
      return await this.#live(flight, asked, wish, response);
    }
    if (stale !== undefined) return this.#replay(stale, asked, wish, response, "fwd=stale");
    send(response, landing?.status ?? 504, { error: { code: "upstream_failed" } });
  }

  async #live(flight: Flight, { body }: Asked, wish: CacheWish, response: ServerResponse): Promise<void> {
    if (this.#has("holds streams back")) await flight.landed;
    const chunks = flight.follow();
    const endMs = Date.now() + wish.timeoutMs;
    const next = () => within(endMs - Date.now(), chunks.next());
    let step = await next();
    if (step?.done === true && flight.landing?.whole === false)
      return send(response, flight.landing.status, { error: {} });
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    for (; step !== undefined && step.done !== true; step = await next()) {
      response.write(eventOf(step.value, usageAsked(body)));
    }
    const whole = step !== undefined && (await flight.landed).whole;
    const half = this.#has("keeps half a stream");
    response.end(whole || half ? "data: [DONE]\n\n" : 'data: {"error":{"code":"upstream_failed"}}\n\n');
  }

  #operate(call: string, text: string): object {
    const [, model] = /^\w+ \/models\/([^/]+)\/cache$/.exec(call) ?? [];
    const [, tenant] = /^DELETE \/tenants\/([^/]+)\/cache\/keys$/.exec(call) ?? [];
    if (model !== undefined && call.startsWith("PUT")) this.#stale.set(model, JSON.parse(text));
    else if (model !== undefined) this.#stale.delete(model);
    else if (tenant !== undefined) this.#purge({ tenant });
    else if (call === "POST /cache/purge") this.#purge(JSON.parse(text) as Scope);
    else if (this.#has("purges everything")) this.#purge({ all: true });
    return {};
  }

  #purge(scope: Scope): void {
    if (this.#has("purges nothing")) return;
    for (const [key, entry] of this.#entries) {
      if (this.#has("purges everything") || isIn(entry, scope)) this.#entries.delete(key);
    }
  }
}

function usageAsked({ stream_options }: Asked["body"]): boolean {
  return (stream_options as { include_usage?: boolean } | undefined)?.include_usage === true;
}

function send(response: ServerResponse, status: number, body?: object): void {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

/** `undefined` when it takes longer. */
function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** A specimen on a free port of this machine. */
export async function startSpecimen(originUrl: string, fault?: Fault): Promise<RunningTarget> {
  const specimen = new Specimen(originUrl, fault);
  const server = createServer((request, response) => void specimen.serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const operator = ledge.operator?.({ url, adminKey: "" });
  const target = {
    url,
    profile: ledge,
    keys: { a: "key-a", b: "key-b" },
    tenants: { a: "a", b: "b" },
    model: "chat-one",
    otherModel: "chat-two",
    ...(operator === undefined ? {} : { operator }),
  };
  const close = async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { target, close };
}
