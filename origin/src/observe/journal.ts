import { createHash } from "node:crypto";
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import type { JournalEntry, JournalPage } from "@ledge/contract";

/** A page holds about this much. Bytes. */
const pageBytes = 1_048_576;
/** Files are one a tenant and month; older ones are dropped when the process starts. */
const monthsKept = 3;

/**
 * What this origin answered and for whom, a line a call, written before the call's answer ends: what a ledger is held against
 * that lost its isolate. Append-only; a line that was cut off by a crash is passed over.
 */
export class Journal {
  readonly #dir: string;
  /** Files that this process has written to. */
  readonly #begun = new Set<string>();

  constructor(dir: string, nowMs: number) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true });
    const keptFrom = monthOf(nowMs - monthsKept * 31 * 86_400_000);
    for (const name of readdirSync(dir)) {
      const month = /^[0-9a-f]{64}\.(\d{4}-\d{2})\.jsonl$/.exec(name)?.[1];
      if (month !== undefined && month < keptFrom) rmSync(join(dir, name));
    }
  }

  /** Synchronous: a call whose answer is out is in the journal. */
  write(entry: JournalEntry): void {
    const file = this.#file(entry.tenant, monthOf(entry.at_ms));
    // What an earlier process did not write to its end stays a line of its own.
    const start = this.#begun.has(file) || isEnded(file) ? "" : "\n";
    this.#begun.add(file);
    appendFileSync(file, `${start}${JSON.stringify(entry)}\n`);
  }

  /** The page after a place that an earlier page named, or the first. Errors: none; a place that is not there is the first. */
  read(tenant: string, after: string): JournalPage {
    const months = this.#months(tenant);
    const [, month, offset] = /^(\d{4}-\d{2}):(\d{1,15})$/.exec(after) ?? [];
    const at = months.includes(month ?? "") ? (month ?? "") : months.find((name) => name > (month ?? ""));
    if (at === undefined) return { entries: [], next: after, more: false };
    const start = at === month ? Number(offset) : 0;
    const text = readFrom(this.#file(tenant, at), start);
    const end = text.lastIndexOf(0x0a) + 1;
    const entries = text.subarray(0, end).toString("utf8").split("\n").flatMap(entryOf);
    const later = months.find((name) => name > at);
    // A file that nobody writes to any more is read to its end: then the next month's is due.
    if (end === 0 && later !== undefined) return { entries, next: `${later}:0`, more: true };
    return {
      entries,
      next: `${at}:${start + end}`,
      more: end > 0 && (text.length === pageBytes || later !== undefined),
    };
  }

  #months(tenant: string): readonly string[] {
    const hash = hashOf(tenant);
    return readdirSync(this.#dir)
      .flatMap((name) => (name.startsWith(hash) ? (/\.(\d{4}-\d{2})\.jsonl$/.exec(name)?.[1] ?? []) : []))
      .sort();
  }

  /** By a hash: a tenant's name may hold what no file's name may. */
  #file(tenant: string, month: string): string {
    return join(this.#dir, `${hashOf(tenant)}.${month}.jsonl`);
  }
}

function hashOf(tenant: string): string {
  return createHash("sha256").update(tenant).digest("hex");
}

function monthOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 7);
}

function isEnded(file: string): boolean {
  const bytes = existsSync(file) ? statSync(file).size : 0;
  return bytes === 0 || readFrom(file, bytes - 1)[0] === 0x0a;
}

function readFrom(file: string, start: number): Buffer {
  const bytes = Buffer.alloc(pageBytes);
  if (!existsSync(file)) return bytes.subarray(0, 0);
  const handle = openSync(file, "r");
  try {
    return bytes.subarray(0, readSync(handle, bytes, 0, pageBytes, start));
  } finally {
    closeSync(handle);
  }
}

function entryOf(line: string): JournalEntry[] {
  try {
    return line === "" ? [] : [JSON.parse(line)];
  } catch {
    return [];
  }
}
