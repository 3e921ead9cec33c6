import { type ArmTally, type ModelTally, noRollout, type TallyBatch, type VersionTally } from "@ledge/contract";
import { addArmTallies, addVersionTallies, faded, scaleArmTally } from "@ledge/policy";

const tables = `
  CREATE TABLE IF NOT EXISTS versions (version TEXT PRIMARY KEY, json TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS arms (rollout TEXT, version TEXT, at_ms INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY (rollout, version));
  CREATE TABLE IF NOT EXISTS isolates (isolate TEXT PRIMARY KEY, number INTEGER NOT NULL, at_ms INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS rated (number INTEGER PRIMARY KEY, request TEXT NOT NULL UNIQUE);
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, json TEXT NOT NULL);
`;

/** What is used of a Durable Object's SQLite. */
export interface Sql {
  exec<T extends Record<string, string | number>>(query: string, ...values: (string | number)[]): { toArray(): T[] };
}

/** Rollouts whose arms are kept, and ratings whose requests are remembered, so that none is counted twice. */
const keptDefault = { rolloutsMax: 20, ratedMax: 100_000 };
/** An isolate that was silent for longer will not send its last batch again. */
const isolateMsMax = 24 * 3_600_000;

/** One model's counts on its Durable Object's SQLite. Every method is synchronous, so callers see no half-counted batch. */
export class TallyStore {
  readonly #sql: Sql;
  readonly #kept: typeof keptDefault;
  readonly #versions: Map<string, VersionTally>;
  /** By rollout and version, joined by a space. */
  readonly #arms: Map<string, { readonly tally: ArmTally; readonly atMs: number }>;

  constructor(sql: Sql, kept = keptDefault) {
    this.#sql = sql;
    this.#kept = kept;
    sql.exec(tables);
    const versions = sql.exec<{ version: string; json: string }>("SELECT * FROM versions").toArray();
    this.#versions = new Map(versions.map(({ version, json }) => [version, JSON.parse(json)]));
    const arms = sql
      .exec<{ rollout: string; version: string; at_ms: number; json: string }>("SELECT * FROM arms")
      .toArray();
    this.#arms = new Map(
      arms.map(({ rollout, version, at_ms: atMs, json }) => [
        `${rollout} ${version}`,
        { tally: JSON.parse(json), atMs },
      ]),
    );
  }

  /** Adds a batch; false, and nothing is added, when it was added before. To be called within a transaction. */
  add(batch: TallyBatch, nowMs: number): boolean {
    if (!this.#isNew(batch, nowMs)) return false;
    for (const [version, more] of Object.entries(batch.versions)) {
      const known = this.#versions.get(version);
      const tally = known === undefined ? more : addVersionTallies(known, more);
      this.#versions.set(version, tally);
      this.#sql.exec("INSERT OR REPLACE INTO versions VALUES (?, ?)", version, JSON.stringify(tally));
    }
    for (const [rollout, arms] of Object.entries(batch.arms)) {
      for (const [version, more] of Object.entries(arms)) this.addArm(rollout, version, more, nowMs);
    }
    return true;
  }

  addArm(rollout: string, version: string, more: ArmTally, nowMs: number): void {
    const key = `${rollout} ${version}`;
    const known = this.#arms.get(key);
    const before = known && (rollout === noRollout ? fadedArm(known, nowMs) : known.tally);
    const tally = before === undefined ? more : addArmTallies(before, more);
    this.#arms.set(key, { tally, atMs: nowMs });
    this.#sql.exec("INSERT OR REPLACE INTO arms VALUES (?, ?, ?, ?)", rollout, version, nowMs, JSON.stringify(tally));
    if (known === undefined) this.#forgetOldRollouts();
  }

  /** Whether this request is rated for the first time. The oldest are forgotten, in the order of their row numbers. */
  isFirstRating(request: string): boolean {
    if (this.#sql.exec("SELECT 1 FROM rated WHERE request = ?", request).toArray().length > 0) return false;
    this.#sql.exec("INSERT INTO rated (request) VALUES (?)", request);
    this.#sql.exec("DELETE FROM rated WHERE number <= (SELECT max(number) FROM rated) - ?", this.#kept.ratedMax);
    return true;
  }

  /** The arms of one rollout, by version. */
  armsOf(rollout: string): Readonly<Record<string, ArmTally>> {
    return this.#allArms()[rollout] ?? {};
  }

  /** What is usual for a version: its calls that no rollout dealt, faded to now. */
  usualOf(version: string, nowMs: number): ArmTally | undefined {
    const known = this.#arms.get(`${noRollout} ${version}`);
    return known && fadedArm(known, nowMs);
  }

  all(): ModelTally {
    return { versions: Object.fromEntries(this.#versions), arms: this.#allArms() };
  }

  meta<T>(key: string): T | undefined {
    const row = this.#sql.exec<{ json: string }>("SELECT json FROM meta WHERE key = ?", key).toArray()[0];
    return row === undefined ? undefined : JSON.parse(row.json);
  }

  setMeta(key: string, value: unknown): void {
    this.#sql.exec("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, JSON.stringify(value));
  }

  #isNew({ isolate, number }: TallyBatch, nowMs: number): boolean {
    const last = this.#sql
      .exec<{ number: number }>("SELECT number FROM isolates WHERE isolate = ?", isolate)
      .toArray()[0];
    if (last !== undefined && number <= last.number) return false;
    this.#sql.exec("INSERT OR REPLACE INTO isolates VALUES (?, ?, ?)", isolate, number, nowMs);
    if (last === undefined) this.#sql.exec("DELETE FROM isolates WHERE at_ms < ?", nowMs - isolateMsMax);
    return true;
  }

  #forgetOldRollouts(): void {
    const old = this.#sql
      .exec<{ rollout: string }>(
        "SELECT rollout FROM arms WHERE rollout <> ? GROUP BY rollout ORDER BY max(at_ms) DESC LIMIT -1 OFFSET ?",
        noRollout,
        this.#kept.rolloutsMax,
      )
      .toArray();
    for (const { rollout } of old) {
      this.#sql.exec("DELETE FROM arms WHERE rollout = ?", rollout);
      for (const key of this.#arms.keys()) if (key.startsWith(`${rollout} `)) this.#arms.delete(key);
    }
  }

  #allArms(): Record<string, Record<string, ArmTally>> {
    const all: Record<string, Record<string, ArmTally>> = {};
    for (const [key, { tally }] of this.#arms) {
      const [rollout = "", version = ""] = key.split(" ");
      all[rollout] = { ...all[rollout], [version]: tally };
    }
    return all;
  }
}

function fadedArm({ tally, atMs }: { readonly tally: ArmTally; readonly atMs: number }, nowMs: number): ArmTally {
  return scaleArmTally(tally, faded(1, nowMs - atMs));
}
