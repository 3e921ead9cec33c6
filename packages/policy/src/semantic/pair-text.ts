/** Tokens that mean something to the verifier's tokenizer: what a prompt says must not be taken for them. */
const special = /\[(?:SEP|CLS|PAD|UNK|MASK)\]/gi;

/** Two prompts as the one text that the verifier is asked with. */
export function pairText(one: string, other: string): string {
  return `${one.replace(special, " ").trim()} [SEP] ${other.replace(special, " ").trim()}`;
}
