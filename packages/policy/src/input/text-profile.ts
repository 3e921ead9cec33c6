import type { TextFeature, TextProfile } from "@ledge/contract";
import { quantile } from "./quantile.ts";

/**
 * How far texts are from those a model was made with: by plain features of the text, each in standard deviations of the
 * model's reference profile. It tells code, tables, other scripts and pasted pages from short English requests; it does not
 * read what a text means.
 */

/** The features of one text. Shares are 0 to 1. */
export function textFeatures(text: string): Readonly<Record<TextFeature, number>> {
  const chars = Math.max(1, text.length);
  const share = (what: RegExp) => (text.match(what)?.length ?? 0) / chars;
  const words = text.match(/\S+/g)?.length ?? 0;
  return {
    log_chars: Math.log(chars),
    word_chars: words === 0 ? 0 : (chars - words + 1) / words,
    letters: share(/[a-z]/gi),
    digits: share(/[0-9]/g),
    beyond_ascii: share(/[^\0-\x7f]/g),
    punctuation: share(/[!-/:-@[-`{-~]/g),
  };
}

/** Root mean square of the features' distances, in standard deviations: about 1 for what is usual. */
export function textDistance(text: string, { features }: Pick<TextProfile, "features">): number {
  const values = textFeatures(text);
  const squares = Object.entries(features).map(
    ([name, { mean, sd }]) => ((values[name as TextFeature] - mean) / sd) ** 2,
  );
  return squares.length === 0 ? 0 : Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length);
}

/** A profile of reference texts, with the distance that a share of them (default 1 %) exceeds as its threshold. */
export function textProfileOf(texts: readonly string[], exceededBy = 0.01): TextProfile {
  const all = texts.map(textFeatures);
  const names = Object.keys(textFeatures("")) as TextFeature[];
  const features = Object.fromEntries(
    names.map((name) => {
      const values = all.map((one) => one[name]);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
      // A feature that never varies, as digits in texts without any: one in a hundred characters counts as unusual.
      return [name, { mean: rounded(mean), sd: Math.max(0.01, rounded(sd)) }];
    }),
  ) as TextProfile["features"];
  const distances = texts.map((text) => textDistance(text, { features }));
  return { features, threshold: rounded(quantile(distances, 1 - exceededBy)) };
}

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
