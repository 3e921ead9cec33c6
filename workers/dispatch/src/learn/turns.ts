import type { BreakerNews } from "@ledge/policy/origins";

/** What an isolate says of an origin, or of a model at one: `eu-1`, `eu-1|intent@3`. */
export interface Turn {
  readonly key: string;
  readonly news: BreakerNews;
}

/** The same with when it was said, by the book's clock, milliseconds since 1970. */
export interface Told extends Turn {
  readonly atMs: number;
}
