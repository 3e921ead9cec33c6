import { headers } from "@ledge/contract";
import { isBreak } from "@ledge/policy/origins";
import type { Seats } from "../choose/seats.ts";
import type { Origin } from "../config.ts";

export interface BreakDeps {
  readonly seats: Seats;
  lives(origin: Origin): Promise<boolean>;
  readonly nowMs: () => number;
  readonly say: (what: string) => void;
}

/** Looks at one origin are at least this far apart. */
const lookAgainMs = 250;

/**
 * The gateway says that a stream broke off, and how: it reads what it passes on to its caller, which this Worker does not. The model
 * is counted for that, and its origin is looked at: it may be gone. `Ledge-Origin` is as this Worker wrote it.
 */
export async function hearBreak(request: Request, { seats, lives, nowMs, say }: BreakDeps): Promise<void> {
  const code = await request.text();
  const [name] = (request.headers.get(headers.origin) ?? "").split(";");
  const model = request.headers.get(headers.model) ?? "";
  const seat = seats.all.find(({ origin }) => origin.name === name);
  if (seat === undefined || !isBreak(code)) return;
  say(`${name} ${model}: a stream broke off, ${code}`);
  seat.broke(model, nowMs());
  if (seat.life.kind !== "closed" || nowMs() - seat.lookedMs < lookAgainMs) return;
  seat.lookedMs = nowMs();
  seat.looked(await lives(seat.origin), nowMs());
}
