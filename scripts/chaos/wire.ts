import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import type { Random } from "../simulate/random.ts";
import { RequestHeads, type SeenRequest } from "./request-heads.ts";

export type { SeenRequest };

/** What a wire does to the bytes that pass it. */
export type Weather =
  | { readonly kind: "calm" }
  /** Everything is late, and so many bytes pass in a second each way. */
  | { readonly kind: "slow"; readonly delayMs: number; readonly bytesPerS: number }
  /** In the middle of an answer one direction of the connection ends, and the other one stays open. */
  | { readonly kind: "half-close" }
  /** In the middle of an answer the connection is reset. */
  | { readonly kind: "reset" }
  /** Nothing passes and nothing is refused, as behind a router that is gone; what was on its way arrives when it is back. */
  | { readonly kind: "blackhole" }
  /** Connections that there are pass nothing ever again, and nobody is told; new ones are well. As when a firewall forgets. */
  | { readonly kind: "drop" };

/** A request on its way. */
export interface Passing {
  /** It was refused, or the connection is gone: who asked may ask elsewhere. */
  failed(): void;
}

/** Is told of every HTTP/1.1 request that passes. */
export type Watch = (request: SeenRequest) => Passing;

/** An answer is cut after so many bytes at most: before its first one, in its head or in its body. */
const cutBytesMax = 600;

/** A TCP proxy between two programs of ours, where the network fails as it is told to. */
export class Wire {
  /** Where it leads: changed when what it leads to has another port. */
  port = 0;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  #weather: Weather = { kind: "calm" };

  private constructor(random: Random, watch: Watch | undefined) {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      const connection = new Connection(client, { port: () => this.port, random, watch });
      this.#connections.add(connection);
      client.once("close", () => this.#connections.delete(connection));
      connection.feel(this.#weather);
    });
  }

  /** Listens. `watch` is for wires that carry HTTP/1.1. */
  static async open(random: Random, watch?: Watch): Promise<Wire> {
    const wire = new Wire(random, watch);
    wire.#server.listen(0, "127.0.0.1");
    await once(wire.#server, "listening");
    return wire;
  }

  /** `host:port` of this side of it. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  set weather(weather: Weather) {
    this.#weather = weather;
    for (const connection of this.#connections) connection.feel(weather);
    // What is connected from now on is well.
    if (weather.kind === "drop") this.#weather = { kind: "calm" };
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const connection of this.#connections) connection.cut();
  }
}

interface Means {
  readonly port: () => number;
  readonly random: Random;
  readonly watch: Watch | undefined;
}

/** One connection of a client's, and the one that is made for it. */
class Connection {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #means: Means;
  readonly #heads: RequestHeads | undefined;
  readonly #passing = new Set<Passing>();
  #weather: Weather = { kind: "calm" };
  /** What waits until a blackhole is over. */
  #back: (() => void)[] = [];
  /** Bytes of answers that still pass before the cut. */
  #untilCut = Number.POSITIVE_INFINITY;

  constructor(client: Socket, means: Means) {
    this.#client = client;
    this.#means = means;
    const { watch } = means;
    this.#heads = watch === undefined ? undefined : new RequestHeads((seen) => this.#passing.add(watch(seen)));
    this.#server = connect({ port: means.port(), host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    client.on("error", () => undefined);
    client.once("close", () => this.#gone());
    // Who asked and ends its side waits for nothing more.
    client.once("end", () => this.#allFailed());
    // What is not there refuses a connection; this one was taken already, so it is reset.
    this.#server.on("error", () => this.cut());
    this.#server.once("close", () => {
      if (!this.#server.readableEnded) this.cut();
    });
    this.#pump(client, this.#server, (chunk) => chunk);
    client.on("data", (chunk: Buffer) => this.#heads?.take(chunk));
    this.#pump(this.#server, client, (chunk) => this.#answering(chunk));
  }

  feel(weather: Weather): void {
    // There is no way back from that.
    if (this.#weather.kind === "drop") return;
    this.#weather = weather;
    const cuts = weather.kind === "half-close" || weather.kind === "reset";
    this.#untilCut = cuts ? Math.floor(this.#means.random() * cutBytesMax) : Number.POSITIVE_INFINITY;
    if (weather.kind !== "blackhole") for (const pass of this.#back.splice(0)) pass();
  }

  cut(): void {
    this.#client.resetAndDestroy();
    this.#gone();
  }

  #gone(): void {
    this.#allFailed();
    this.#back = [];
    this.#server.destroy();
  }

  #allFailed(): void {
    for (const passing of this.#passing) passing.failed();
    this.#passing.clear();
  }

  /** Passes bytes on in their order, and the end after them. What is read is small enough to keep. */
  #pump(from: Socket, to: Socket, what: (chunk: Buffer) => Buffer): void {
    let before = Promise.resolve();
    const then = (step: () => void, bytes: number) => {
      const atMs = performance.now();
      before = before
        .then(() => this.#weathered(bytes, atMs))
        .then(() => {
          if (this.#weather.kind !== "drop") step();
        });
    };
    from.on("data", (chunk: Buffer) =>
      then(() => {
        const passes = what(chunk);
        if (passes.length > 0 && to.writable) to.write(passes);
      }, chunk.length),
    );
    from.once("end", () => then(() => to.end(), 0));
  }

  /** Resolves when so many bytes, which came at `atMs`, may pass. */
  async #weathered(bytes: number, atMs: number): Promise<void> {
    if (this.#weather.kind === "blackhole") await new Promise<void>((resolve) => this.#back.push(resolve));
    if (this.#weather.kind !== "slow") return;
    const { delayMs, bytesPerS } = this.#weather;
    // What is under way is late together, and goes through one after the other.
    const lateMs = Math.max(0, atMs + delayMs - performance.now());
    await setTimeout(lateMs + (bytes / bytesPerS) * 1_000);
  }

  /** What of an answer passes before it is cut. */
  #answering(chunk: Buffer): Buffer {
    if (chunk.length <= this.#untilCut) {
      this.#untilCut -= chunk.length;
      if (isRefusal(chunk)) this.#allFailed();
      return chunk;
    }
    const passes = chunk.subarray(0, this.#untilCut);
    this.#untilCut = 0;
    if (this.#weather.kind === "reset") setImmediate(() => this.cut());
    else if (this.#means.random() < 0.5) {
      // The answer ends early.
      this.#allFailed();
      setImmediate(() => this.#client.end());
    } else {
      // Who answers is told that nothing more will be asked, and may answer on.
      this.#untilCut = Number.POSITIVE_INFINITY;
      this.#server.end();
      return this.#answering(chunk);
    }
    return passes;
  }
}

/** Whether an answer with another status than 200 begins here. */
function isRefusal(chunk: Buffer): boolean {
  return /^HTTP\/1\.1 (?!200)/.test(chunk.toString("latin1", 0, 12));
}
