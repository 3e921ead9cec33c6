import type { CacheLayer } from "@ledge/policy";
import type { Address, AnswerLayer, Entry, SealedBytes } from "./ports.ts";

/** Answers outside the isolate, sealed for their slots: whoever can read or write there can neither read nor forge one. */
export class SealedLayer implements AnswerLayer {
  readonly name: CacheLayer;
  readonly #bytes: SealedBytes;

  constructor(name: CacheLayer, bytes: SealedBytes) {
    this.name = name;
    this.#bytes = bytes;
  }

  async get({ slot }: Address): Promise<Entry | "unsealed" | undefined> {
    const bytes = await this.#bytes.get(slot.key);
    if (bytes === undefined) return undefined;
    const opened = await slot.open(bytes);
    return opened === undefined ? "unsealed" : read(opened);
  }

  async put({ slot }: Address, entry: Entry, keepS: number): Promise<void> {
    const { freshUntilMs } = entry;
    await this.#bytes.put(slot.key, await slot.seal(write(entry)), { keepS, freshUntilMs });
  }
}

type Written = readonly [
  id: string,
  number: number,
  createdAtMs: number,
  freshUntilMs: number,
  tags: readonly string[],
  etag: string,
  value: unknown,
];

function write({ id, number, createdAtMs, freshUntilMs, tags, etag, value }: Entry): Uint8Array {
  const written: Written = [id, number, createdAtMs, freshUntilMs, tags, etag, value];
  return encoder.encode(JSON.stringify(written));
}

/** What opened is what was sealed, so it is not checked again. */
function read(bytes: Uint8Array): Entry {
  const text = decoder.decode(bytes);
  const [id, number, createdAtMs, freshUntilMs, tags, etag, value] = JSON.parse(text) as Written;
  return { id, number, createdAtMs, freshUntilMs, tags, etag, value, chars: text.length };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
