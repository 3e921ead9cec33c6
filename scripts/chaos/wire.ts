import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { Random } from "../simulate/random.ts";
import { RequestHeads, type SeenRequest } from "./request-heads.ts";

/** What a wire does to the bytes that pass it. */
export type Weather =
  | { readonly kind: "calm" }
  /** Every piece is late, and so many bytes pass in a second each way. */
  | { readonly kind: "slow"; readonly delayMs: number; readonly bytesPerS: number }
  /** In the middle of an answer one direction of the connection ends, and the other one stays open. */
  | { readonly kind: "half-close" }
  /** In the middle of an answer the connection is reset. */
  | { readonly kind: "reset" }
  /** Nothing passes and nothing is refused, as behind a router that is gone; what was on its way arrives when it is back. */
  | { readonly kind: "blackhole" };

/** An answer is cut after so many bytes at most: before its first one, in its head or in its body. */
const cutBytesMax = 600;

/** A TCP proxy between two programs of ours, where the network fails as it is told to. */
export class Wire {
  /** Where it leads: changed when what it leads to has another port. */
  port: number;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  readonly #random: Random;
  readonly #seen: ((request: SeenRequest) => void) | undefined;
  #weather: Weather = { kind: "calm" };

  private constructor(port: number, random: Random, seen: ((request: SeenRequest) => void) | undefined) {
    this.port = port;
    this.#random = random;
    this.#seen = seen;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#join(client));
  }

  /** @param seen is told of every HTTP/1.1 request that passes; absent where none do */
  static async to(port: number, random: Random, seen?: (request: SeenRequest) => void): Promise<Wire> {
    const wire = new Wire(port, random, seen);
    wire.#server.listen(0, "127.0.0.1");
    await once(wire.#server, "listening");
    return wire;
  }

  /** `host:port` of this side of it. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get weather(): Weather {
    return this.#weather;
  }

  set weather(weather: Weather) {
    this.#weather = weather;
    for (const connection of this.#connections) connection.feel(weather);
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const connection of this.#connections) connection.cut();
  }

  #join(client: Socket): void {
    const heads = this.#seen === undefined ? undefined : new RequestHeads(this.#seen);
    const connection = new Connection(client, () => this.port, { random: this.#random, heads });
    this.#connections.add(connection);
    client.once("close", () => this.#connections.delete(connection));
    connection.feel(this.#weather);
  }
}

class Connection {
  readonly #client: Socket;
  readonly #port: () => number;
  readonly #random: Random;
  readonly #heads: RequestHeads | undefined;
  #server: Socket | undefined;
  #weather: Weather = { kind: "calm" };
  /** Bytes of answers that still pass before the cut. */
  #untilCut = Number.POSITIVE_INFINITY;

  constructor(
    client: Socket,
    port: () => number,
    { random, heads }: { readonly random: Random; readonly heads: RequestHeads | undefined },
  ) {
    this.#client = client;
    this.#port = port;
    this.#random = random;
    this.#heads = heads;
    client.on("error", () => undefined);
    client.once("close", () => this.#server?.destroy());
  }

  feel(weather: Weather): void {
    this.#weather = weather;
    const cuts = weather.kind === "half-close" || weather.kind === "reset";
    this.#untilCut = cuts ? Math.floor(this.#random() * cutBytesMax) : Number.POSITIVE_INFINITY;
    if (weather.kind === "blackhole") {
      this.#client.pause();
      this.#server?.pause();
      return;
    }
    this.#server ??= this.#reach();
    this.#client.resume();
    this.#server.resume();
  }

  cut(): void {
    this.#client.resetAndDestroy();
    this.#server?.resetAndDestroy();
  }

  #reach(): Socket {
    const server = connect({ port: this.#port(), host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    // What is not there refuses a connection; ours was taken already, so it is reset.
    server.on("error", () => this.cut());
    server.once("close", () => this.#client.destroySoon());
    this.#pump(this.#client, server, (chunk) => {
      this.#heads?.take(chunk);
      return chunk;
    });
    this.#pump(server, this.#client, (chunk) => this.#cutting(chunk));
    return server;
  }

  /** Passes bytes on, at the pace of who takes them and of the weather; then the end. */
  #pump(from: Socket, to: Socket, what: (chunk: Buffer) => Buffer): void {
    let ended = false;
    let waits = 0;
    const finish = () => {
      if (ended && waits === 0) to.end();
    };
    from.on("data", (chunk: Buffer) => {
      const passes = what(chunk);
      if (passes.length === 0 || to.writableEnded) return;
      if (this.#weather.kind === "slow") {
        const { delayMs, bytesPerS } = this.#weather;
        waits++;
        from.pause();
        setTimeout(
          () => {
            waits--;
            to.write(passes);
            if (this.#weather.kind !== "blackhole") from.resume();
            finish();
          },
          delayMs + (passes.length / bytesPerS) * 1_000,
        );
      } else if (!to.write(passes)) {
        from.pause();
        to.once("drain", () => {
          if (this.#weather.kind !== "blackhole") from.resume();
        });
      }
    });
    from.once("end", () => {
      ended = true;
      finish();
    });
  }

  /** What of an answer passes before it is cut. */
  #cutting(chunk: Buffer): Buffer {
    if (chunk.length <= this.#untilCut) {
      this.#untilCut -= chunk.length;
      return chunk;
    }
    const passes = chunk.subarray(0, Math.max(0, this.#untilCut));
    this.#untilCut = 0;
    if (this.#weather.kind === "reset") setImmediate(() => this.cut());
    // Either the answer ends early, or who answers is told that nobody asks any more.
    else if (this.#random() < 0.5) setImmediate(() => this.#client.end());
    else {
      this.#untilCut = Number.POSITIVE_INFINITY;
      this.#server?.end();
      return chunk;
    }
    return passes;
  }
}
