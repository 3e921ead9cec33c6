import { type Amount, type LedgerAnswer, nothing } from "@ledge/contract";
import { most, plus } from "@ledge/policy";
import type { Sql } from "./ledger-rows.ts";

const tables = `
  CREATE TABLE IF NOT EXISTS isolates (isolate TEXT PRIMARY KEY, number INTEGER NOT NULL, answer TEXT NOT NULL, until_ms INTEGER NOT NULL,
    calls INTEGER NOT NULL, tokens INTEGER NOT NULL, microcents INTEGER NOT NULL) WITHOUT ROWID;
`;

/** An isolate that holds nothing is forgotten after this long: it will not send its last message again. */
const rememberedMs = 3_600_000;

interface Lease {
  readonly isolate: string;
  readonly untilMs: number;
  readonly amount: Amount;
}

type LeaseRecord = Amount & { isolate: string; until_ms: number } & Record<string, string | number>;

/** What isolates hold of a tenant's quotas, and what each was told last. */
export class LedgerLeases {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
    sql.exec(tables);
  }

  /** What the isolate was told when it said this before: a message that comes again gets its answer again. */
  answerTo(isolate: string, number: number): LedgerAnswer | undefined {
    const [known] = this.#sql
      .exec<{ number: number; answer: string }>("SELECT number, answer FROM isolates WHERE isolate = ?", isolate)
      .toArray();
    return known === undefined || known.number < number ? undefined : JSON.parse(known.answer);
  }

  /** On lease to all isolates but one. */
  heldByOthers(isolate: string): Amount {
    const [sum] = this.#sql
      .exec<Amount & Record<string, number>>(
        `SELECT coalesce(sum(calls), 0) AS calls, coalesce(sum(tokens), 0) AS tokens, coalesce(sum(microcents), 0) AS microcents
          FROM isolates WHERE isolate <> ?`,
        isolate,
      )
      .toArray();
    return sum ?? nothing;
  }

  save(isolate: string, number: number, answer: LedgerAnswer, lease: Omit<Lease, "isolate">): void {
    const { calls, tokens, microcents } = lease.amount;
    const values = [isolate, number, JSON.stringify(answer), lease.untilMs, calls, tokens, microcents];
    this.#sql.exec("INSERT OR REPLACE INTO isolates VALUES (?, ?, ?, ?, ?, ?, ?)", ...values);
  }

  /** A call of this isolate was told of by somebody else: it holds so much less. */
  lessen(isolate: string, used: Amount): void {
    const [known] = this.#sql.exec<LeaseRecord>("SELECT * FROM isolates WHERE isolate = ?", isolate).toArray();
    if (known === undefined) return;
    const left = most(nothing, plus(known, { calls: -used.calls, tokens: -used.tokens, microcents: -used.microcents }));
    this.#sql.exec(
      "UPDATE isolates SET calls = ?, tokens = ?, microcents = ? WHERE isolate = ?",
      ...[left.calls, left.tokens, left.microcents, isolate],
    );
  }

  /** Takes out the isolates that are silent past what they said, and tells what they held. */
  fold(nowMs: number): readonly Lease[] {
    const silent = this.#sql
      .exec<LeaseRecord>("SELECT * FROM isolates WHERE calls + tokens + microcents > 0 AND until_ms < ?", nowMs)
      .toArray();
    for (const { isolate } of silent) this.#sql.exec("DELETE FROM isolates WHERE isolate = ?", isolate);
    this.#sql.exec("DELETE FROM isolates WHERE until_ms < ?", nowMs - rememberedMs);
    return silent.map(({ isolate, until_ms: untilMs, calls, tokens, microcents }) => {
      return { isolate, untilMs, amount: { calls, tokens, microcents } };
    });
  }

  /** When the next isolate falls silent; `undefined` when none holds anything. */
  nextFoldMs(): number | undefined {
    const [row] = this.#sql
      .exec<{ at: number | null }>("SELECT min(until_ms) AS at FROM isolates WHERE calls + tokens + microcents > 0")
      .toArray();
    return row?.at ?? undefined;
  }
}
