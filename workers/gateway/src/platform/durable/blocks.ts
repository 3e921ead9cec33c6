import { DurableObject } from "cloudflare:workers";
import type { Block, BlockChanges, BlockCounts } from "@ledge/contract";
import type { OperatorEnv } from "../../env.ts";
import { BlockStore, type NewBlock } from "./block-store.ts";

/** Who is blocked: one object for the whole deployment, told by each offender's own, read by every isolate. */
export class Blocks extends DurableObject<OperatorEnv> {
  readonly #store = new BlockStore(this.ctx.storage.sql);

  add(block: NewBlock): void {
    this.#store.add(block);
  }

  /** Whether it was blocked. What it did before is forgotten as well. */
  async lift(subject: string, by: string): Promise<boolean> {
    const lifted = this.#store.lift(subject, by, Date.now());
    if (lifted) await this.env.OFFENDERS.getByName(subject).forgive();
    return lifted;
  }

  list(all: boolean, limit: number): readonly Block[] {
    return this.#store.list(all, limit, Date.now());
  }

  changesAfter(number: number): BlockChanges {
    return this.#store.changesAfter(number, Date.now());
  }

  counts(): BlockCounts {
    return this.#store.counts(Date.now());
  }
}
