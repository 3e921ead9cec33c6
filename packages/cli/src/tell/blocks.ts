import type { BlocksAnswer } from "@ledge/contract";
import { table } from "./table.ts";

/** Blocks as a table, newest first. */
export function blocksText({ blocks }: BlocksAnswer): string {
  if (blocks.length === 0) return "Nobody is blocked.";
  const rows = blocks.map(({ subject, reason, at, until, times, lifted_at: liftedAt, lifted_by: by }) => {
    return [subject, reason, String(times), at, liftedAt === undefined ? until : `lifted ${liftedAt} by ${by}`];
  });
  return table([["who", "why", "in a row", "from", "until"], ...rows]);
}
