import type { JobStatus } from "@ledge/contract";
import type { Place } from "./seals.ts";

/** SQLite in a Durable Object takes 2 MB a value; calls and answers lie in pieces of this. */
export const pieceBytes = 1_048_576;
/** What a row itself takes, roughly. */
const rowBytes = 512;

const tables = `
  CREATE TABLE IF NOT EXISTS jobs (id TEXT PRIMARY KEY, subject TEXT NOT NULL, status TEXT NOT NULL, path TEXT NOT NULL,
    request_id TEXT NOT NULL, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL, started_ms INTEGER,
    ended_ms INTEGER, drop_ms INTEGER, attempts INTEGER NOT NULL, breaks INTEGER NOT NULL, code TEXT, bytes INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS jobs_by_caller ON jobs (subject, id);
  CREATE INDEX IF NOT EXISTS jobs_by_due ON jobs (status, due_ms);
  CREATE INDEX IF NOT EXISTS jobs_by_expiry ON jobs (status, expires_ms);
  CREATE INDEX IF NOT EXISTS jobs_by_end ON jobs (drop_ms);
  CREATE TABLE IF NOT EXISTS pieces (job TEXT, part TEXT, number INTEGER, sealed BLOB NOT NULL, PRIMARY KEY (job, part, number)) WITHOUT ROWID;
`;

type SqlValue = string | number | null | ArrayBuffer;

/** What is used of a Durable Object's SQLite. */
export interface Sql {
  exec<T extends Record<string, SqlValue>>(query: string, ...values: SqlValue[]): { toArray(): T[] };
}

/** A job without what was asked and answered. Times are milliseconds since 1970. */
export interface JobRow {
  readonly id: string;
  readonly subject: string;
  readonly status: JobStatus;
  readonly path: string;
  readonly request_id: string;
  readonly created_ms: number;
  readonly expires_ms: number;
  /** When its next run may begin; means nothing unless it is queued. */
  readonly due_ms: number;
  readonly started_ms: number | null;
  readonly ended_ms: number | null;
  /** When it is forgotten; null until it is over. */
  readonly drop_ms: number | null;
  readonly attempts: number;
  readonly breaks: number;
  /** Why it has no answer; null once it has one. */
  readonly code: string | null;
  readonly bytes: number;
}

export type NewRow = Pick<JobRow, "id" | "subject" | "path" | "request_id" | "created_ms" | "expires_ms" | "due_ms"> & {
  readonly code: string;
};

/** How a job ended. */
export interface JobEnd {
  readonly status: Exclude<JobStatus, "queued" | "running">;
  readonly code: string | null;
  readonly endedMs: number;
  readonly dropMs: number;
  readonly answer?: Uint8Array<ArrayBuffer>;
}

/** A tenant's jobs on their Durable Object's SQLite. Every method is synchronous; those that change are to be called in a transaction. */
export class JobRows {
  readonly #sql: Sql;
  #waiting: number;
  #bytes: number;

  constructor(sql: Sql) {
    this.#sql = sql;
    sql.exec(tables);
    this.#waiting = this.#one("SELECT count(*) AS value FROM jobs WHERE drop_ms IS NULL") ?? 0;
    this.#bytes = this.#one("SELECT sum(bytes) AS value FROM jobs") ?? 0;
  }

  /** Jobs that are not over. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Of all that is kept. */
  get bytes(): number {
    return this.#bytes;
  }

  add(row: NewRow, call: Uint8Array<ArrayBuffer>): void {
    const { id, subject, path, request_id, created_ms, expires_ms, due_ms, code } = row;
    const bytes = call.length + rowBytes;
    this.#sql.exec(
      "INSERT INTO jobs VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, NULL, NULL, NULL, 0, 0, ?, ?)",
      ...[id, subject, path, request_id, created_ms, expires_ms, due_ms, code, bytes],
    );
    this.#lay({ job: id, part: "call" }, call);
    this.#waiting += 1;
    this.#bytes += bytes;
  }

  find(id: string): JobRow | undefined {
    return this.#rows("SELECT * FROM jobs WHERE id = ?", id)[0];
  }

  /** A caller's, the newest first. */
  page(subject: string, before: string, limit: number): readonly JobRow[] {
    const query = "SELECT * FROM jobs WHERE subject = ? AND id < ? ORDER BY id DESC LIMIT ?";
    return this.#rows(query, subject, before, limit);
  }

  /** Those whose run may begin, who waits longest first. */
  due(nowMs: number, limit: number): readonly JobRow[] {
    const query = "SELECT * FROM jobs WHERE status = 'queued' AND due_ms <= ? ORDER BY due_ms LIMIT ?";
    return this.#rows(query, nowMs, limit);
  }

  sealed({ job, part }: Place): Uint8Array<ArrayBuffer> {
    const query = "SELECT sealed FROM pieces WHERE job = ? AND part = ? ORDER BY number";
    const pieces = this.#sql.exec<{ sealed: ArrayBuffer }>(query, job, part).toArray();
    return joined(pieces.map(({ sealed }) => new Uint8Array(sealed)));
  }

  begin(id: string, nowMs: number): void {
    const query = "UPDATE jobs SET status = 'running', started_ms = ?, attempts = attempts + 1 WHERE id = ?";
    this.#sql.exec(query, nowMs, id);
  }

  /** Nothing happens to one that was cancelled while it ran. */
  putOff(id: string, code: string, breaks: number, dueMs: number): void {
    const query =
      "UPDATE jobs SET status = 'queued', code = ?, breaks = ?, due_ms = ? WHERE id = ? AND status = 'running'";
    this.#sql.exec(query, code, breaks, dueMs, id);
  }

  /** Runs that nobody makes any more, after a crash or a deployment, are due again. Whether there were any. */
  restart(nowMs: number): boolean {
    const query = "UPDATE jobs SET status = 'queued', due_ms = ? WHERE status = 'running' RETURNING id";
    return this.#sql.exec(query, nowMs).toArray().length > 0;
  }

  /** What was asked goes; what was answered is kept until `dropMs`. */
  end(id: string, { status, code, endedMs, dropMs, answer }: JobEnd): void {
    const before = this.find(id);
    if (before === undefined || before.drop_ms !== null) return;
    const bytes = rowBytes + (answer?.length ?? 0);
    this.#sql.exec("DELETE FROM pieces WHERE job = ?", id);
    if (answer !== undefined) this.#lay({ job: id, part: "answer" }, answer);
    this.#sql.exec(
      "UPDATE jobs SET status = ?, code = ?, ended_ms = ?, drop_ms = ?, bytes = ? WHERE id = ?",
      ...[status, code, endedMs, dropMs, bytes, id],
    );
    this.#waiting -= 1;
    this.#bytes += bytes - before.bytes;
  }

  /** Ends those that nobody has answered in time. One that runs is let finish. */
  expire(nowMs: number, dropMs: number): void {
    const late = this.#rows("SELECT * FROM jobs WHERE status = 'queued' AND expires_ms <= ?", nowMs);
    for (const { id, code } of late) this.end(id, { status: "expired", code, endedMs: nowMs, dropMs });
  }

  drop(nowMs: number): void {
    for (const { id, bytes } of this.#rows("SELECT * FROM jobs WHERE drop_ms <= ?", nowMs)) {
      this.#sql.exec("DELETE FROM pieces WHERE job = ?", id);
      this.#sql.exec("DELETE FROM jobs WHERE id = ?", id);
      this.#bytes -= bytes;
    }
  }

  /** When the next run is due; `undefined`: none waits. */
  nextDueMs(): number | undefined {
    return this.#one("SELECT min(due_ms) AS value FROM jobs WHERE status = 'queued'");
  }

  /** When the next one expires or is forgotten. */
  nextTidyMs(): number | undefined {
    const expiry = this.#one("SELECT min(expires_ms) AS value FROM jobs WHERE status = 'queued'");
    const end = this.#one("SELECT min(drop_ms) AS value FROM jobs WHERE drop_ms IS NOT NULL");
    return expiry === undefined || end === undefined ? (expiry ?? end) : Math.min(expiry, end);
  }

  #lay({ job, part }: Place, sealed: Uint8Array<ArrayBuffer>): void {
    for (let at = 0, number = 0; at < sealed.length; at += pieceBytes, number++) {
      const piece = sealed.slice(at, at + pieceBytes);
      this.#sql.exec("INSERT INTO pieces VALUES (?, ?, ?, ?)", job, part, number, piece.buffer);
    }
  }

  #rows(query: string, ...values: SqlValue[]): readonly JobRow[] {
    return this.#sql.exec<Record<string, SqlValue> & JobRow>(query, ...values).toArray();
  }

  #one(query: string): number | undefined {
    return this.#sql.exec<{ value: number | null }>(query).toArray()[0]?.value ?? undefined;
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
