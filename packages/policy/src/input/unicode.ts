/** What a text may hide from whoever reads it, and a model still sees (Unicode UTS #39, UTR #36; CVE-2021-42574). */
export type UnicodeFlag = "control" | "bidi" | "invisible";

const signs: Readonly<Record<UnicodeFlag, RegExp>> = {
  // Control characters that are no white space, and lone surrogates.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  control: /[\0-\x08\v\x0e-\x1f\x7f-\x84\x86-\x9f\p{Cs}]/u,
  // Embeddings, overrides and isolates. The marks of Arabic and Hebrew (U+061C, U+200E, U+200F) are ordinary text.
  bidi: /[\u202a-\u202e\u2066-\u2069]/,
  // Characters of no width and tags; several variation selectors at once, which carry hidden bytes. Joiners and a single
  // selector make emoji and are part of many scripts.
  invisible:
    /\u034f|[\xad\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e007f}]|[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]{2}/u,
};

/** Emoji flags of regions are a black flag with tags behind it: those are seen. */
const regionFlags = /\u{1f3f4}[\u{e0020}-\u{e007e}]{1,8}\u{e007f}/gu;

/** Which of them are in the texts, each once. */
export function unicodeFlags(texts: Iterable<string>): readonly UnicodeFlag[] {
  const found = new Set<UnicodeFlag>();
  for (const text of texts) {
    const plain = text.includes("\u{1f3f4}") ? text.replace(regionFlags, "") : text;
    for (const flag of Object.keys(signs) as UnicodeFlag[]) if (signs[flag].test(plain)) found.add(flag);
  }
  return [...found];
}
