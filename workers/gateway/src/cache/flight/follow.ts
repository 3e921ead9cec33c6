import type { Result } from "@ledge/contract";
import { flightLeaseMsMax } from "@ledge/policy";
import { FlowEnd, flowBytesMax } from "../../flight-flow.ts";
import { inTime } from "../../in-time.ts";

export interface FollowRules {
  /** Another stream of the same flight, after the one that was followed broke off; `own`: nobody else's says the same. */
  readonly again: (own: boolean) => Promise<Result<ReadableStream<Uint8Array>>>;
  /** Called when nothing more will be read. */
  readonly leave: () => void;
  readonly deadlineMs: number;
  readonly nowMs: () => number;
}

/** A little more patience than the room has, which else would say that there is still a leader. Milliseconds. */
const graceMs = 100;

/** How often a stream is followed up that broke off. */
const againMax = 4;

/**
 * A leader's stream for one of its waiters. When it breaks off, or falls silent, the waiter goes on with another one: what
 * it has passed on already is left out there if it is the same, byte for byte; if not, it does the work itself, and if that
 * says something else as well, this stream errors, as an answer made of two is none.
 */
export function follow(events: ReadableStream<Uint8Array>, rules: FollowRules): ReadableStream<Uint8Array> {
  const said = new Said();
  let source = new Source(events, rules);
  let againLeft = againMax;
  /** Whether another's stream said something else: one that came whole is cut into other pieces. */
  let own = false;
  /** What has not been said, or `undefined` at the end. */
  const next = async (): Promise<Uint8Array | undefined> => {
    for (;;) {
      const chunk = await source.read();
      const fresh = chunk && said.after(chunk);
      if (fresh === "another") {
        await source.cancel("it says something else");
        if (own) throw new Error("the stream broke off, and the next says something else");
        own = true;
      } else if (fresh !== undefined) {
        if (fresh.length > 0) return fresh;
        continue;
      } else if (source.whole) return undefined;
      if (againLeft-- === 0 || !said.remembered) throw new Error("the stream broke off");
      const other = await rules.again(own);
      if (!other.ok) throw new Error(`the stream broke off, and no other came: ${other.fault.code}`);
      said.rewind();
      source = new Source(other.value, rules);
    }
  };
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      try {
        const chunk = await next();
        if (chunk !== undefined) return controller.enqueue(chunk);
        controller.close();
        controller.byobRequest?.respond(0);
        rules.leave();
      } catch (broken) {
        rules.leave();
        await source.cancel(broken);
        throw broken;
      }
    },
    async cancel(reason) {
      rules.leave();
      await source.cancel(reason);
    },
  });
}

/** One stream of the flight: read until it ends, breaks off, or is silent for as long as a leader may be. */
class Source {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #rules: FollowRules;
  readonly #end = new FlowEnd();

  constructor(events: ReadableStream<Uint8Array>, rules: FollowRules) {
    this.#reader = events.getReader();
    this.#rules = rules;
  }

  /** Whether it came to its end. */
  get whole(): boolean {
    return this.#end.reached;
  }

  /** `undefined` when nothing more comes. */
  async read(): Promise<Uint8Array | undefined> {
    const leftMs = this.#rules.deadlineMs - this.#rules.nowMs();
    const patienceMs = Math.min(flightLeaseMsMax, Math.max(0, leftMs / 2)) + graceMs;
    const read = await inTime(
      patienceMs,
      this.#reader.read().catch(() => undefined),
    );
    if (read?.value === undefined) {
      if (read === undefined) await this.cancel("silent");
      return undefined;
    }
    this.#end.see(read.value);
    return read.value;
  }

  async cancel(reason: unknown): Promise<void> {
    await this.#reader.cancel(reason).catch(() => undefined);
  }
}

/** What a waiter has passed on, to be left out of the next stream. */
class Said {
  #bytes = new Uint8Array(0);
  #length = 0;
  #at = 0;

  /** Whether all of it is still known. */
  get remembered(): boolean {
    return this.#length <= flowBytesMax;
  }

  /** Another stream begins. */
  rewind(): void {
    this.#at = 0;
  }

  /** A copy of what of the stream's next chunk has not been said, which it then is; "another" when the stream says something else. */
  after(chunk: Uint8Array): Uint8Array | "another" {
    const again = Math.min(chunk.length, this.#length - this.#at);
    for (let i = 0; i < again; i++) {
      if (chunk[i] !== this.#bytes[this.#at + i]) return "another";
    }
    const fresh = chunk.slice(again);
    this.#add(fresh);
    this.#at += chunk.length;
    return fresh;
  }

  #add(fresh: Uint8Array): void {
    const from = this.#length;
    this.#length += fresh.length;
    if (!this.remembered) return;
    if (this.#bytes.length < this.#length) {
      const more = new Uint8Array(Math.max(4096, 2 * this.#length));
      more.set(this.#bytes);
      this.#bytes = more;
    }
    this.#bytes.set(fresh, from);
  }
}
