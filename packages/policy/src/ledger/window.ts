/** Calendar days and months in a time zone. Pure: the zone's rules are data of the language's `Intl`. */

export type Period = "day" | "month";

/** Milliseconds since 1970, `endMs` excluded. */
export interface CalendarWindow {
  readonly startMs: number;
  readonly endMs: number;
}

interface Local {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
}

/** Whether the language knows a zone of this name. */
export function isTimeZone(name: string): boolean {
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

/** The day or month that an instant lies in. A zone that nobody knows is UTC. */
export function windowAt(period: Period, atMs: number, timeZone: string): CalendarWindow {
  const zone = isTimeZone(timeZone) ? timeZone : "UTC";
  const { year, month, day } = localOf(atMs, zone);
  const first = period === "day" ? { year, month, day } : { year, month, day: 1 };
  const next =
    period === "day"
      ? dayAfter(first)
      : month === 12
        ? { year: year + 1, month: 1, day: 1 }
        : { year, month: month + 1, day: 1 };
  return { startMs: startOf(first, zone), endMs: startOf(next, zone) };
}

/** The first instant of a local day: midnight, or where a clock is put forward over it, when the day begins after all. */
function startOf(local: Local, zone: string): number {
  const midnightMs = utcOf(local);
  // No zone is further than 14 hours from UTC, so the day's beginning lies between these; which is local date is monotonic.
  let before = midnightMs - 15 * hourMs;
  let there = midnightMs + 15 * hourMs;
  // Offsets are whole seconds in every zone there is; the border is found to the second.
  while (there - before > 1_000) {
    const middle = before + Math.floor((there - before) / 2_000) * 1_000;
    if (utcOf(localOf(middle, zone)) >= midnightMs) there = middle;
    else before = middle;
  }
  return there;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

function dayAfter(local: Local): Local {
  return localOf(utcOf(local) + dayMs, "UTC");
}

function localOf(atMs: number, zone: string): Local {
  let [year, month, day] = [0, 0, 0];
  for (const { type, value } of formatOf(zone).formatToParts(atMs)) {
    if (type === "year") year = Number(value);
    else if (type === "month") month = Number(value);
    else if (type === "day") day = Number(value);
  }
  return { year, month, day };
}

/** Midnight UTC of a date, milliseconds since 1970: the days-from-civil rule of the proleptic Gregorian calendar. */
function utcOf({ year, month, day }: Local): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return (era * 146_097 + dayOfEra - 719_468) * dayMs;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    calendar: "gregory",
    numberingSystem: "latn",
    year: "numeric",
    month: "numeric",
    day: "numeric",
  });
  formats.set(zone, made);
  return made;
}
