/** A request as a wire saw it pass. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  /** `Ledge-Request-Id`; absent where it has none, as looks at `/readyz` do. */
  readonly id?: string;
}

/** A head is this long at most; what is longer was no head. */
const headCharsMax = 16_384;
const head = /(GET|POST) (\S+) HTTP\/1\.1\r\n(.*?)\r\n\r\n/gs;

/** Finds the heads of HTTP/1.1 requests in what a connection carries, wherever its pieces begin. */
export class RequestHeads {
  readonly #seen: (request: SeenRequest) => void;
  #held = "";

  constructor(seen: (request: SeenRequest) => void) {
    this.#seen = seen;
  }

  take(chunk: Buffer): void {
    this.#held += chunk.toString("latin1");
    let end = 0;
    for (const found of this.#held.matchAll(head)) {
      const [whole, method = "", path = "", fields = ""] = found;
      const id = /^ledge-request-id: *(\S+)/im.exec(fields)?.[1];
      this.#seen({ method, path, ...(id === undefined ? {} : { id }) });
      end = found.index + whole.length;
    }
    this.#held = this.#held.slice(end).slice(-headCharsMax);
  }
}
