import { type DirectoryChange, fail, ok, type Result } from "@ledge/contract";
import type { DirectoryDone, DirectoryWriter, KeyCloser } from "./ports.ts";
import { reach } from "./reach.ts";

/** What the desks of the directory have in common. */

export interface DirectoryDesk {
  readonly directory: DirectoryWriter;
  readonly closer: KeyCloser;
  /** Whose changes they are, for the audit. */
  readonly who: string;
}

/** What a change gives, and whether gateways know of it already. */
export interface Made<T> {
  readonly value: T;
  readonly published: boolean;
}

/** Keys that one request may close: a Worker's invocation may make so many calls and more. The others end when KV is heard. */
const closedAtOnce = 500;

/** Makes a change, and ends what isolates hold of the keys that ended with it. Errors: those of `directoryStep`; `directory_unavailable`. */
export async function changeDirectory(change: DirectoryChange, desk: DirectoryDesk): Promise<Result<DirectoryDone>> {
  const done = await ask(() => desk.directory.change(change, desk.who));
  if (!done.ok) return done;
  if (!done.value.ok) return done.value;
  const { ended, published } = done.value.value;
  const closed = await closeKeys(ended.slice(0, closedAtOnce), desk.closer);
  return ok({ ...done.value.value, published: published && closed && ended.length <= closedAtOnce });
}

/** Whether isolates hold nothing of the keys any more. */
export async function closeKeys(ids: readonly string[], closer: KeyCloser): Promise<boolean> {
  const closed = await Promise.allSettled(ids.map((id) => closer.close(`key:${id}`)));
  return closed.every(({ status }) => status === "fulfilled");
}

/** Errors: `directory_unavailable`. */
export function ask<T>(work: () => Promise<T>): Promise<Result<T>> {
  return reach(work, "directory_unavailable");
}

/** Errors: `tenant_not_found` for what is not there, `directory_unavailable`. */
export async function askOfTenant<T>(work: () => Promise<T | undefined>): Promise<Result<T>> {
  const found = await ask(work);
  if (!found.ok) return found;
  return found.value === undefined ? fail("tenant_not_found") : ok(found.value);
}

export function timeText(atMs: number): string {
  return new Date(atMs).toISOString();
}

const pageDefault = 100;

/** `after` and `limit` of a list. Errors: `invalid_request`. */
export function pageOf(query: URLSearchParams): Result<{ readonly after: string; readonly limit: number }> {
  const limit = query.get("limit") ?? String(pageDefault);
  if (/^(?:[1-9][0-9]{0,2}|1000)$/.test(limit)) return ok({ after: query.get("after") ?? "", limit: Number(limit) });
  return fail("invalid_request", { issues: [{ path: "limit", message: "a whole number from 1 to 1000" }] });
}

/** Where a list goes on, when it may. */
export function nextOf(page: { readonly limit: number }, names: readonly string[]): { readonly next?: string } {
  const last = names.at(-1);
  return last === undefined || names.length < page.limit ? {} : { next: last };
}
