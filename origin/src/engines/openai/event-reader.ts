import { StringDecoder } from "node:string_decoder";

/** A single event's data may be this long, UTF-16 code units. A server that sends more has lost its mind. */
const eventCharsMax = 4_194_304;

/**
 * Reads the `data` of each server-sent event out of bytes as they come (WHATWG HTML, 9.2.6): comments and other fields are passed
 * over, lines may end in LF, CR LF or CR, and characters may be cut anywhere.
 */
export class EventReader {
  readonly #decoder = new StringDecoder("utf8");
  readonly #hear: (data: string) => void;
  #rest = "";
  #data: string[] = [];
  #isFirst = true;

  /** `hear` gets the data of one event, its lines joined by LF. */
  constructor(hear: (data: string) => void) {
    this.#hear = hear;
  }

  /** Throws when an event has no end. */
  push(bytes: Buffer): void {
    let text = this.#rest + this.#decoder.write(bytes);
    if (this.#isFirst && text !== "") {
      this.#isFirst = false;
      if (text.startsWith(byteOrderMark)) text = text.slice(1);
    }
    const lines = text.split(lineEnd);
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length > eventCharsMax || this.#data.length > eventCharsMax) throw new Error("an event has no end");
    for (const line of lines) {
      if (line !== "") this.#take(line);
      else this.#tell();
    }
  }

  /** What the source ends in the middle of still comes: whoever hears it must see that it is not whole. */
  end(): void {
    this.#take((this.#rest + this.#decoder.end()).replace(/\r$/, ""));
    this.#tell();
  }

  #take(line: string): void {
    if (line.startsWith("data:")) this.#data.push(line.slice(line[5] === " " ? 6 : 5));
  }

  #tell(): void {
    if (this.#data.length === 0) return;
    const data = this.#data.length === 1 ? (this.#data[0] ?? "") : this.#data.join("\n");
    this.#data = [];
    this.#hear(data);
  }
}

const byteOrderMark = "\uFEFF";
/** A CR at the end may be half of a CR LF: it waits for what follows. */
const lineEnd = /\r\n|\n|\r(?!$)/;
