import { DurableObject } from "cloudflare:workers";
import { fail, type JobReply, type NewJob, ok, type Result } from "@ledge/contract";
import { runDelayMs } from "@ledge/policy";
import { type Config, readConfig } from "./config.ts";
import type { JobsEnv } from "./env.ts";
import { afterAllIds, newJobId } from "./keep/ids.ts";
import { type JobRow, JobRows } from "./keep/job-rows.ts";
import { Seals } from "./keep/seals.ts";
import { graceMs, Runs } from "./run/runs.ts";
import { unstreamed } from "./run/unstreamed.ts";
import { jobReply, jobsReply, type KeptAnswer, takenReply } from "./tell/present.ts";

/** Cloudflare ends what an alarm does after fifteen minutes: nothing is begun in the last ones. */
const beginningMsMax = 600_000;
/** How long jobs wait for a variable or secret to be set right. */
const misconfiguredMs = 60_000;
const saltBytes = 32;

/** What there is once the object is a tenant's. */
interface Parts {
  readonly config: Config;
  readonly seals: Seals;
  readonly runs: Runs;
}

/**
 * One tenant's jobs. Its alarm runs what is due, and stays until all that it began is over; what a crash cuts off is begun again by
 * the next alarm, which is set before the first run begins.
 */
export class TenantJobs extends DurableObject<JobsEnv> {
  readonly #rows: JobRows;
  readonly #config: Result<Config>;
  #made: Parts | undefined;

  constructor(ctx: DurableObjectState, env: JobsEnv) {
    super(ctx, env);
    this.#rows = new JobRows(ctx.storage.sql);
    this.#config = readConfig(env);
    if (this.#rows.restart(Date.now())) void ctx.blockConcurrencyWhile(() => this.#setAlarm());
  }

  /** Errors: `jobs_unavailable`, also when the tenant has as many jobs, or bytes, as it may. */
  async take({ tenant, subject, requestId, call, code, retryAfterMs }: NewJob): Promise<Result<JobReply>> {
    const parts = this.#partsOf(tenant);
    if (!parts.ok) return parts;
    const { config, seals, runs } = parts.value;
    const nowMs = Date.now();
    const id = newJobId(nowMs);
    const text = JSON.stringify({ ...call, body: unstreamed(call.body) });
    const sealed = await seals.seal({ job: id, part: "call" }, text);
    this.#tidy(config, nowMs);
    const full =
      this.#rows.waiting >= config.JOBS_WAITING_MAX || this.#rows.bytes + sealed.length > config.JOBS_BYTES_MAX;
    if (full) return fail("jobs_unavailable", { cause: "the tenant has as many jobs as it may" });
    const row = {
      id,
      subject,
      path: call.path,
      request_id: requestId,
      created_ms: nowMs,
      expires_ms: nowMs + config.JOB_AGE_S_MAX * 1_000,
      due_ms: nowMs + runDelayMs(0, retryAfterMs, Math.random()),
      code,
    };
    this.ctx.storage.transactionSync(() => this.#rows.add(row, sealed));
    runs.stir();
    await this.#setAlarm();
    return this.#told(id, (taken) => takenReply(taken, nowMs));
  }

  /** Errors: `job_not_found`. */
  async show(tenant: string, subject: string, id: string): Promise<Result<JobReply>> {
    const parts = this.#partsOf(tenant);
    if (!parts.ok) return parts;
    const nowMs = Date.now();
    this.#tidy(parts.value.config, nowMs);
    const row = this.#of(subject, id);
    if (row === undefined) return fail("job_not_found");
    const answer = await this.#answerTo(row, parts.value.seals);
    return answer === "lost" ? fail("job_not_found") : ok(jobReply(row, answer, nowMs));
  }

  /** So many of a caller's jobs, the newest first, after one of them. */
  list(tenant: string, subject: string, after: string | undefined, limit: number): Result<JobReply> {
    const parts = this.#partsOf(tenant);
    if (!parts.ok) return parts;
    this.#tidy(parts.value.config, Date.now());
    return ok(jobsReply(this.#rows.page(subject, after ?? afterAllIds, limit + 1), limit));
  }

  /** Again is the same as once; one that is over stays what it is. Errors: `job_not_found`. */
  async cancel(tenant: string, subject: string, id: string): Promise<Result<JobReply>> {
    const parts = this.#partsOf(tenant);
    if (!parts.ok) return parts;
    if (this.#of(subject, id) === undefined) return fail("job_not_found");
    const endedMs = Date.now();
    const dropMs = endedMs + parts.value.config.JOB_KEPT_S * 1_000;
    this.ctx.storage.transactionSync(() => this.#rows.end(id, { status: "cancelled", code: null, endedMs, dropMs }));
    await this.#setAlarm();
    return this.#told(id, (row) => jobReply(row, undefined, endedMs));
  }

  override async alarm(): Promise<void> {
    const parts = this.#partsOf(this.ctx.storage.kv.get<string>("tenant") ?? "");
    if (!parts.ok) {
      say(parts.fault.cause ?? parts.fault.code);
      await this.ctx.storage.setAlarm(Date.now() + misconfiguredMs);
      return;
    }
    const { config, runs } = parts.value;
    const untilMs = Date.now() + beginningMsMax;
    for (;;) {
      const mayBegin = Date.now() < untilMs;
      this.#tidy(config, Date.now());
      if (mayBegin) runs.fill();
      await this.#setAlarm();
      if (runs.size === 0) return;
      await runs.change(mayBegin ? this.#rows.nextDueMs() : undefined);
    }
  }

  #told(id: string, tell: (row: JobRow) => JobReply): Result<JobReply> {
    const row = this.#rows.find(id);
    return row === undefined ? fail("job_not_found") : ok(tell(row));
  }

  #of(subject: string, id: string): JobRow | undefined {
    const row = this.#rows.find(id);
    return row?.subject === subject ? row : undefined;
  }

  async #answerTo({ id, ended_ms }: JobRow, seals: Seals): Promise<KeptAnswer | "lost" | undefined> {
    const place = { job: id, part: "answer" } as const;
    const sealed = this.#rows.sealed(place);
    if (ended_ms === null || sealed.length === 0) return undefined;
    const text = await seals.open(place, sealed);
    if (text !== undefined) return JSON.parse(text) as KeptAnswer;
    say(`the answer to ${id} does not open: JOBS_SECRET is another one than it was sealed under`);
    return "lost";
  }

  #tidy({ JOB_KEPT_S }: Config, nowMs: number): void {
    this.ctx.storage.transactionSync(() => {
      this.#rows.expire(nowMs, nowMs + JOB_KEPT_S * 1_000);
      this.#rows.drop(nowMs);
    });
  }

  /** By the next run or end; while runs are under way no later than they should be over, for whoever finds them cut off. */
  async #setAlarm(): Promise<void> {
    const nowMs = Date.now();
    const { config, runs } = this.#made ?? {};
    const over = config && runs && runs.size > 0 ? nowMs + config.RUN_MS_MAX + 2 * graceMs : undefined;
    const times = [this.#rows.nextDueMs(), this.#rows.nextTidyMs(), over].flatMap((ms) => ms ?? []);
    if (times.length > 0) await this.ctx.storage.setAlarm(Math.max(nowMs, Math.min(...times)));
  }

  /** Made at the first job of the tenant's. Errors: `jobs_unavailable`, with every wrong variable in its cause. */
  #partsOf(tenant: string): Result<Parts> {
    if (this.#made !== undefined) return ok(this.#made);
    if (!this.#config.ok) {
      const wrong = this.#config.fault.issues ?? [];
      const names = wrong.map(({ path, message }) => `${path} (${message})`).join(", ");
      return fail("jobs_unavailable", { cause: `set these variables or secrets of the jobs Worker: ${names}` });
    }
    const config = this.#config.value;
    const seals = new Seals(config.JOBS_SECRET, tenant, this.#saltOf(tenant));
    const runs = new Runs({
      rows: this.#rows,
      seals,
      gateway: this.env.GATEWAY,
      atomically: (work) => this.ctx.storage.transactionSync(work),
      rule: {
        runningMax: config.JOBS_RUNNING_MAX,
        runMsMax: config.RUN_MS_MAX,
        keptMs: config.JOB_KEPT_S * 1_000,
        answerBytesMax: config.ANSWER_BYTES_MAX,
      },
      nowMs: () => Date.now(),
      random: () => Math.random(),
      say,
    });
    this.#made = { config, seals, runs };
    return ok(this.#made);
  }

  #saltOf(tenant: string): Uint8Array {
    const { kv } = this.ctx.storage;
    const known = kv.get<Uint8Array>("salt");
    if (known !== undefined) return known;
    const salt = crypto.getRandomValues(new Uint8Array(saltBytes));
    kv.put("salt", salt);
    kv.put("tenant", tenant);
    return salt;
  }
}

function say(what: string): void {
  console.log(JSON.stringify({ jobs: what }));
}
