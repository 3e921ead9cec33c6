import { clockAt, dateAt } from "./clock.ts";
import type { Prompt } from "./words.ts";

/** Numbers, units, dates and times of a prompt, each in one spelling. */

const cardinals =
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(
    " ",
  );
const tens = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const ordinals = "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(" ");
const scales: Readonly<Record<string, number>> = {
  hundred: 100,
  thousand: 1e3,
  k: 1e3,
  million: 1e6,
  m: 1e6,
  mn: 1e6,
  billion: 1e9,
  bn: 1e9,
  trillion: 1e12,
  dozen: 12,
};
const shares: Readonly<Record<string, string>> = {
  half: "1/2",
  quarter: "1/4",
  double: "x2",
  twice: "x2",
  triple: "x3",
  once: "x1",
  single: "1",
};

const units = table(
  "mile miles mi|kilometer kilometers kilometre kilometres km kms|meter meters metre metres|centimeter centimeters centimetre centimetres cm|" +
    "millimeter millimetre millimeters millimetres mm|inch inches|foot feet ft|yard yards|kilogram kilograms kg kgs kilo kilos|gram grams|" +
    "pound pounds lb lbs|ounce ounces oz|tonne tonnes ton tons|liter liters litre litres|milliliter millilitre milliliters millilitres ml|" +
    "gallon gallons|cup cups|tablespoon tablespoons tbsp|teaspoon teaspoons tsp|celsius centigrade|fahrenheit|kelvin|" +
    "second seconds sec secs|minute minutes min mins|hour hours hr hrs|day days|week weeks|fortnight|month months|year years yr yrs|decade decades|century centuries|" +
    "dollar dollars usd $|cad|aud|nzd|sgd|hkd|euro euros eur €|sterling gbp £|yen jpy ¥|rupee rupees inr|yuan renminbi cny|won krw|baht thb|ruble rubles rouble roubles rub|" +
    "shekel shekels ils|dirham dirhams aed|peso pesos|franc francs chf|krona kronor krone kroner|lira liras|bitcoin bitcoins btc|percent % percentage|" +
    "byte bytes|bit bits|kb kilobyte kilobytes|mb megabyte megabytes|gb gigabyte gigabytes|tb terabyte terabytes|" +
    "watt watts|kilowatt kilowatts kw|volt volts|amp amps ampere|hertz hz|mph|kmh kph|calorie calories kcal|acre acres|hectare hectares",
);
const days = table(
  "monday|tuesday tue tues|wednesday|thursday thu thur thurs|friday fri|saturday|sunday|" +
    "january jan|february feb|march|april apr|june jun|july jul|august aug|september sep sept|october oct|november nov|december dec|" +
    "today|tonight|tomorrow|yesterday|weekend weekends|weekday weekdays|morning mornings|afternoon|evening|night nights|" +
    "spring|summer|autumn|winter|christmas xmas|easter|daily|weekly|monthly|yearly annually annual|hourly",
);
const months = new Set(
  "january february march april may june july august september october november december".split(" "),
);
/** Which week is meant. Only beside a time: "last name" is none. */
const whichOne = new Set(["next", "last", "previous", "this", "past", "coming", "every", "each"]);

function table(rows: string): ReadonlyMap<string, string> {
  const entries = rows.split("|").flatMap((row) => {
    const [name = "", ...others] = row.split(" ");
    return [name, ...others].map((word) => [word, name] as const);
  });
  return new Map(entries);
}

/** Whether a word is a unit or a time, and so no name however it is written. */
export function isQuantity(word: string): boolean {
  return units.has(word) || days.has(word);
}

/**
 * Numbers and units as they belong together ("600 yen"), apart from times: what is measured, and in what. Bare numbers stand in
 * the order in which they are said, as 20 − 8 is not 8 − 20; measures in any.
 */
export function measuresOf(prompt: Prompt): { readonly bound: readonly string[]; readonly bare: readonly string[] } {
  const said = quantitiesOf(prompt).filter((one) => !/^(?:time|which|clock|day) |^ordinal$/.test(one));
  const bound: string[] = [];
  const bare: string[] = [];
  for (let at = 0; at < said.length; at++) {
    const [one = "", next = ""] = [said[at], said[at + 1]];
    if (one.startsWith("unit ")) bound.push(one);
    else if (next.startsWith("unit ")) {
      bound.push(`${one} ${next}`);
      at++;
    } else bare.push(one);
  }
  return { bound: bound.toSorted(), bare };
}

/** In the order in which they are said. */
export function quantitiesOf({ words, written }: Prompt): readonly string[] {
  const found: string[] = [];
  // "May" is a month where it is written so, and not at the beginning.
  const timeOf = (at: number) => days.get(words[at] ?? "") ?? (written[at] === "May" && at > 0 ? "may" : undefined);
  const monthOf = (at: number) => {
    const time = words[at] === "may" ? "may" : timeOf(at);
    return time !== undefined && months.has(time) ? time : undefined;
  };
  for (let at = 0; at < words.length; at++) {
    const said = dateAt(words, at, monthOf) ?? clockAt(words, at) ?? numberAt(words, at);
    if (said !== undefined) {
      found.push(...said.says);
      at += said.takes - 1;
      continue;
    }
    found.push(...unitAt(words, at, timeOf(at)));
  }
  return found;
}

/** The unit, time or share that a word is. */
function unitAt(words: readonly string[], at: number, time: string | undefined): readonly string[] {
  const [before = "", word = "", after = ""] = [words[at - 1], words[at], words[at + 1]];
  const found: string[] = [];
  // "Pounds sterling" are no pounds, and "which day" asks for one.
  const asked = /^days?$/.test(word) && (before === "which" || before === "what");
  const unit = after === "sterling" || asked ? undefined : (currencyAt(words, at) ?? units.get(word));
  if (unit !== undefined) found.push(`unit ${unit}`);
  if (time !== undefined) found.push(`time ${time}`);
  if ((unit !== undefined || time !== undefined) && whichOne.has(before))
    found.push(`which ${before === "past" ? "last" : before}`);
  const share = shares[word];
  if (share !== undefined) found.push(`number ${share}`);
  return found;
}

/** Whose dollars: a currency by the two words for it, said at the second. */
const dollarsOf: Readonly<Record<string, string>> = {
  us: "dollar",
  american: "dollar",
  canadian: "cad",
  australian: "aud",
  zealand: "nzd",
  singapore: "sgd",
  kong: "hkd",
};

function currencyAt(words: readonly string[], at: number): string | undefined {
  return /^dollars?$/.test(words[at] ?? "") ? dollarsOf[words[at - 1] ?? ""] : undefined;
}

/** Whether a word says whose currency the next one is, and so names no country. */
export function isCurrencyOf(words: readonly string[], at: number): boolean {
  return dollarsOf[words[at] ?? ""] !== undefined && /^dollars?$/.test(words[at + 1] ?? "");
}

/** The number that begins at a word: digits with separators and a suffix, or words. "one" alone is left out: "which one". */
function numberAt(words: readonly string[], at: number): { says: readonly string[]; takes: number } | undefined {
  const word = words[at] ?? "";
  const digits = /^(\d[\d,.:/-]*?)(st|nd|rd|th|am|pm|k|m|bn|b|x|[a-z°%]+)?([%°]?)$/.exec(word);
  if (digits !== null) {
    const [, body = "", suffix = "", sign = ""] = digits;
    const unit = units.get(suffix) ?? suffix;
    const scale = scales[suffix] ?? scales[words[at + 1] ?? ""] ?? 1;
    const takes = scales[suffix] === undefined && scales[words[at + 1] ?? ""] !== undefined ? 2 : 1;
    const value = /^\d{1,3}(?:,\d{3})+(?:\.\d+)?$|^\d+(?:\.\d+)?$/.test(body)
      ? Number(body.replaceAll(",", "")) * scale
      : body;
    const named =
      suffix === "" || scales[suffix] !== undefined
        ? []
        : [/^(?:st|nd|rd|th)$/.test(suffix) ? "ordinal" : `unit ${unit}`];
    return { says: [`number ${value}`, ...named, ...(sign === "%" ? ["unit percent"] : [])], takes };
  }
  const ordinal = ordinals.indexOf(word);
  // "Newest first" counts nothing, and "a second" is a unit.
  const counts = ordinal > 2 || (ordinal > 0 && /^(?:the|my|your|his|her|its|our|their)$/.test(words[at - 1] ?? ""));
  if (counts) return { says: [`number ${ordinal}`, "ordinal"], takes: 1 };
  return wordsAt(words, at);
}

function wordsAt(words: readonly string[], at: number) {
  let value: number | undefined;
  let total = 0;
  let next = at;
  for (; next < words.length; next++) {
    const [first = "", second] = (words[next] ?? "").split("-");
    const small = smallNumber(first, second);
    const scale =
      next > at
        ? scales[first]
        : first === "dozen" || first === "hundred" || first === "thousand" || first === "million"
          ? scales[first]
          : undefined;
    if (small !== undefined) value = (value ?? 0) + small;
    else if (scale !== undefined && first.length > 2) {
      if (scale === 100 || scale === 12) value = (value ?? 1) * scale;
      else {
        total += (value ?? 1) * scale;
        value = 0;
      }
    } else break;
  }
  if (value === undefined && total === 0) return undefined;
  const sum = total + (value ?? 0);
  return { says: sum === 1 && next === at + 1 ? [] : [`number ${sum}`], takes: next - at };
}

function smallNumber(first: string, second: string | undefined): number | undefined {
  const cardinal = cardinals.indexOf(first);
  if (cardinal >= 0 && second === undefined) return cardinal;
  const ten = tens.indexOf(first);
  if (ten < 0) return undefined;
  const unit = second === undefined ? 0 : cardinals.indexOf(second);
  return unit < 0 ? undefined : (ten + 2) * 10 + unit;
}
