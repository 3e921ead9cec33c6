/** What of a stream is remembered for those who come later, or read slower. Bytes. */
export const flowBytesMax = 1_048_576;

const lastEvent = new TextEncoder().encode("data: [DONE]\n\n");

/** Sees whether a stream of events came to its end: whether its last event is `[DONE]`. */
export class FlowEnd {
  #tail = new Uint8Array(0);

  see(chunk: Uint8Array): void {
    const size = lastEvent.length;
    const bytes = chunk.length >= size ? chunk : joined(this.#tail, chunk);
    this.#tail = bytes.slice(-size);
  }

  get reached(): boolean {
    return this.#tail.length === lastEvent.length && this.#tail.every((byte, i) => byte === lastEvent[i]);
  }
}

/**
 * One stream for many readers, each from its first byte and at its own speed. Beyond `flowBytesMax` the beginning is
 * forgotten: nobody new can read it then, and a reader who has not come so far yet is cut off.
 */
export class Flow {
  #chunks: Uint8Array[] = [];
  #forgotten = 0;
  #bytes = 0;
  #ended = false;
  #wakers = new Set<() => void>();

  append(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes > flowBytesMax) {
      this.#bytes -= this.#chunks.shift()?.length ?? 0;
      this.#forgotten++;
    }
    this.#wake();
  }

  /** Nothing more comes. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** A stream of its own for one reader; `undefined` when the beginning is forgotten. One that is cut off ends early. */
  read(): ReadableStream<Uint8Array> | undefined {
    if (this.#forgotten > 0) return undefined;
    let next = 0;
    let reading = true;
    return new ReadableStream({
      type: "bytes",
      pull: async (controller) => {
        while (next >= this.#forgotten + this.#chunks.length && !this.#ended && reading) await this.#change();
        const chunk = this.#chunks[next - this.#forgotten];
        next++;
        // A copy: what is enqueued is taken over, and others still read it here.
        if (chunk !== undefined && reading) return controller.enqueue(chunk.slice());
        if (!reading) return;
        controller.close();
        controller.byobRequest?.respond(0);
      },
      cancel: () => {
        reading = false;
        this.#wake();
      },
    });
  }

  /** A promise of the reader's own, which whoever appends settles: one of another request might never. */
  #change(): Promise<void> {
    return new Promise((resolve) => this.#wakers.add(resolve));
  }

  #wake(): void {
    const wakers = this.#wakers;
    this.#wakers = new Set();
    for (const wake of wakers) wake();
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
