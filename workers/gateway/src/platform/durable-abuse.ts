import type { AbuseBook, FloodWall } from "../admit/ports.ts";
import type { GatewayEnv, OperatorEnv } from "../env.ts";
import type { BlockList } from "../operate/ports.ts";

/** One object an offender, and one for the list of blocks. */
export function durableAbuseBook({ OFFENDERS, BLOCKS }: Pick<GatewayEnv, "OFFENDERS" | "BLOCKS">): AbuseBook {
  return {
    report: async (report) => await OFFENDERS.getByName(report.subject).report(report),
    changesAfter: async (number) => await BLOCKS.getByName("blocks").changesAfter(number),
  };
}

export function durableBlockList(blocks: OperatorEnv["BLOCKS"]): BlockList {
  const list = () => blocks.getByName("blocks");
  return {
    list: async (all, limit) => await list().list(all, limit),
    lift: async (subject, by) => await list().lift(subject, by),
    counts: async () => await list().counts(),
  };
}

/** The platform's own counter, where the account binds one. */
export function floodWall(wall: RateLimit | undefined): FloodWall | undefined {
  return wall && { admits: async (address) => (await wall.limit({ key: address })).success };
}
