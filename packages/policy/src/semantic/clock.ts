/** Times of day and days of the year, each in one spelling. */

interface Said {
  readonly says: readonly string[];
  /** How many words it takes. */
  readonly takes: number;
}

const hours = "zero one two three four five six seven eight nine ten eleven twelve".split(" ");
const partOfDay: Readonly<Record<string, "am" | "pm">> = { morning: "am", afternoon: "pm", evening: "pm" };

/** The time of day that begins at a word: "4 pm", "16:00", "seven in the morning", "noon". */
export function clockAt(words: readonly string[], at: number): Said | undefined {
  const word = words[at] ?? "";
  if (word === "noon" || word === "midday") return said(12, 0, 1);
  if (word === "midnight") return said(0, 0, 1);
  const digits = /^(\d{1,2})(?:[:.](\d{2}))?(am|pm)?$/.exec(word);
  const hour = digits === null ? hours.indexOf(word) : Number(digits[1]);
  const minute = Number(digits?.[2] ?? 0);
  if (hour < 0 || hour > 23 || minute > 59) return undefined;
  const half = halfAfter(words, at + 1);
  const which = digits?.[3] ?? half.which;
  if (which !== undefined) return said((hour % 12) + (which === "pm" ? 12 : 0), minute, 1 + half.takes);
  return /^\d{1,2}:\d{2}$/.test(word) ? said(hour, minute, 1) : undefined;
}

/** Which half of the day the words say: "pm", "a.m", "o'clock in the evening". */
function halfAfter(words: readonly string[], at: number): { which?: "am" | "pm"; takes: number } {
  const skipped = words[at] === "o'clock" ? 1 : 0;
  const word = (words[at + skipped] ?? "").replace(".", "");
  if (word === "am" || word === "pm") return { which: word, takes: skipped + 1 };
  const which = words[at + skipped] === "in" && words[at + skipped + 1] === "the" ? words[at + skipped + 2] : undefined;
  const half = which === undefined ? undefined : partOfDay[which];
  return half === undefined ? { takes: 0 } : { which: half, takes: skipped + 3 };
}

function said(hour: number, minute: number, takes: number): Said {
  return { says: [`clock ${hour}:${String(minute).padStart(2, "0")}`], takes };
}

const dayOfMonth = /^([12]?\d|3[01])(?:st|nd|rd|th)?$/;

/**
 * The day of a month that begins at a word: "1 May", "May 1st", "the 1st of May". `monthOf` says which month a word is, if any.
 */
export function dateAt(
  words: readonly string[],
  at: number,
  monthOf: (at: number) => string | undefined,
): Said | undefined {
  const [word = "", second = ""] = [words[at], words[at + 1]];
  if (word === "new" && second === "year" && words[at + 2] === "day") return date("january", 1, 3);
  const month = monthOf(at);
  if (month !== undefined) {
    const skipped = second === "the" ? 1 : 0;
    const day = dayOfMonth.exec(words[at + 1 + skipped] ?? "");
    return day === null ? undefined : date(month, Number(day[1]), 2 + skipped);
  }
  const day = dayOfMonth.exec(word);
  if (day === null) return undefined;
  const skipped = second === "of" ? 1 : 0;
  const after = monthOf(at + 1 + skipped);
  return after === undefined ? undefined : date(after, Number(day[1]), 2 + skipped);
}

function date(month: string, day: number, takes: number): Said {
  return { says: [`time ${month}`, `day ${day}`], takes };
}
