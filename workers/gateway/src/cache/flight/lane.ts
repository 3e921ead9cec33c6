/** How far the one who reads may lag behind before the lane is given up, bytes. */
const lagBytesMax = 1_048_576;

/** A stream that is written without waiting: the leader's caller must not wait for those who wait for the leader. */
export class Lane {
  readonly events: ReadableStream<Uint8Array>;
  #controller: ReadableByteStreamController | undefined;

  constructor() {
    this.events = new ReadableStream({
      type: "bytes",
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => {
        this.#controller = undefined;
      },
    });
  }

  /** `chunk` stays the caller's. */
  push(chunk: Uint8Array): void {
    const controller = this.#controller;
    if (controller === undefined) return;
    if ((controller.desiredSize ?? 0) < -lagBytesMax) this.#end(() => controller.error("too slow"));
    else controller.enqueue(chunk.slice());
  }

  close(): void {
    const controller = this.#controller;
    if (controller !== undefined) this.#end(() => controller.close());
  }

  #end(how: () => void): void {
    this.#controller = undefined;
    how();
  }
}
