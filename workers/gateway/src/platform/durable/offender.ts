import { DurableObject } from "cloudflare:workers";
import type { OffenceReport } from "@ledge/contract";
import { type AbuseRecord, abuseRule, cleanRecord, isBlocked, offend } from "@ledge/policy";
import type { OperatorEnv } from "../../env.ts";

const recordKey = "record";

interface Kept {
  readonly record: AbuseRecord;
  /** Whether the list of blocks has its block. */
  readonly listed: boolean;
}

/** What all isolates know of one address or caller, once an isolate has found it bad: load, decide, save. */
export class Offender extends DurableObject<OperatorEnv> {
  async report({ subject, points, reason }: OffenceReport): Promise<AbuseRecord> {
    const atMs = Date.now();
    const before = this.ctx.storage.kv.get<Kept>(recordKey) ?? { record: cleanRecord, listed: true };
    const record = offend(abuseRule, before.record, points, atMs);
    const isNew = record.blockedUntilMs !== before.record.blockedUntilMs;
    this.ctx.storage.kv.put<Kept>(recordKey, { record, listed: before.listed && !isNew });
    await this.ctx.storage.setAlarm(Math.max(atMs, record.blockedUntilMs) + abuseRule.forgiveMs);
    if (isBlocked(record, atMs) && (isNew || !before.listed)) {
      const { blockedUntilMs: untilMs, blocks: times } = record;
      await this.env.BLOCKS.getByName("blocks").add({ subject, reason, atMs, untilMs, times });
      this.ctx.storage.kv.put<Kept>(recordKey, { record, listed: true });
    }
    return record;
  }

  async forgive(): Promise<void> {
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }

  override async alarm(): Promise<void> {
    await this.ctx.storage.deleteAll();
  }
}
