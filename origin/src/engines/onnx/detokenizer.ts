const replacement = "�";
/** A character is at most four bytes; a longer run that never decodes is not UTF-8 and is let through. */
const heldTokensMax = 8;

/**
 * Turns tokens into text as they come. A token may hold part of a character, and what a token reads as may depend on
 * the one before it, so each step decodes a short window twice: with the new token and without.
 */
export class Detokenizer {
  readonly #decode: (ids: readonly bigint[]) => string;
  #window: bigint[] = [];
  /** How many tokens of the window have been emitted. */
  #emitted = 0;

  /** `before`: the tokens that were said before; the last of them count. */
  constructor(decode: (ids: readonly bigint[]) => string, before: readonly bigint[] = []) {
    this.#decode = decode;
    this.#window = before.slice(-heldTokensMax);
    this.#emitted = this.#window.length;
  }

  /** Takes the next token and returns the text that is now certain. Never half a character. */
  push(id: bigint): string {
    this.#window.push(id);
    const before = this.#decode(this.#window.slice(0, this.#emitted));
    const after = this.#decode(this.#window);
    const held = this.#window.length - this.#emitted;
    if (after.length <= before.length || (after.endsWith(replacement) && held < heldTokensMax)) return "";
    this.#window = this.#window.slice(this.#emitted);
    this.#emitted = this.#window.length;
    return after.slice(before.length);
  }

  /** The generation has ended: the rest, without the bytes of a character that was never finished. */
  flush(): string {
    const before = this.#decode(this.#window.slice(0, this.#emitted));
    const after = this.#decode(this.#window);
    this.#emitted = this.#window.length;
    return after.slice(before.length).replace(/�+$/, "");
  }
}
