import { type BlocksAnswer, fail, type LiftAnswer, liftRequest, ok, parse, type Result } from "@ledge/contract";
import { subjectsNamed } from "@ledge/policy";
import type { BlockList } from "./ports.ts";
import { reach } from "./reach.ts";

const listedMax = 1_000;

/** Who is kept out now, or with `all=true` who was as well. Errors: `invalid_request`, `blocks_unavailable`. */
export async function listBlocks(query: URLSearchParams, list: BlockList): Promise<Result<BlocksAnswer>> {
  const all = query.get("all") ?? "false";
  if (!/^(?:true|false)$/.test(all)) {
    return fail("invalid_request", { issues: [{ path: "all", message: "true or false" }] });
  }
  const blocks = await reach(() => list.list(all === "true", listedMax), "blocks_unavailable");
  return blocks.ok ? ok({ blocks: [...blocks.value] }) : blocks;
}

/** Ends a block, everywhere within seconds. Errors: `invalid_request`, `block_not_found`, `blocks_unavailable`. */
export async function liftBlock(body: unknown, who: string, list: BlockList): Promise<Result<LiftAnswer>> {
  const asked = parse(liftRequest, body);
  if (!asked.ok) return asked;
  for (const subject of subjectsNamed(asked.value.of)) {
    const lifted = await reach(() => list.lift(subject, who), "blocks_unavailable");
    if (!lifted.ok) return lifted;
    if (lifted.value) return ok({ lifted: subject });
  }
  return fail("block_not_found");
}
