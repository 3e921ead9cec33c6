import { headers, type JobCall, type JobReply, type JobRunner } from "@ledge/contract";
import { afterRun } from "@ledge/policy";
import type { JobRow, JobRows } from "../keep/job-rows.ts";
import type { Seals } from "../keep/seals.ts";
import { outcomeOf, saidOfAnswer } from "./outcome.ts";

export interface RunsDeps {
  readonly rows: JobRows;
  readonly seals: Pick<Seals, "seal" | "open">;
  readonly gateway: JobRunner;
  /** All of it is written or nothing. */
  readonly atomically: (work: () => void) => void;
  readonly rule: {
    readonly runningMax: number;
    readonly runMsMax: number;
    readonly keptMs: number;
    readonly answerBytesMax: number;
  };
  readonly nowMs: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly say: (what: string) => void;
}

/** The gateway ends a run by its deadline; one that it does not is left this much later. */
export const graceMs = 5_000;

/** The runs under way of one tenant's jobs. A run is written down before it begins, and nothing of it is lost that was. */
export class Runs {
  readonly #deps: RunsDeps;
  readonly #running = new Map<string, Promise<void>>();
  #stir: () => void = () => undefined;

  constructor(deps: RunsDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#running.size;
  }

  /** Begins what is due, as far as there is room. */
  fill(): void {
    const { rows, atomically, nowMs, rule } = this.#deps;
    const room = rule.runningMax - this.#running.size;
    const due = room > 0 ? rows.due(nowMs(), room) : [];
    atomically(() => {
      for (const { id } of due) rows.begin(id, nowMs());
    });
    for (const { id } of due) {
      const begun = rows.find(id);
      if (begun !== undefined) this.#running.set(id, this.#whole(begun));
    }
  }

  /** Until a run is over, something is {@link stir}red up, or `dueMs` has come and there is room; `undefined`: none is due. */
  async change(dueMs: number | undefined): Promise<void> {
    const { rule, nowMs } = this.#deps;
    let timer: ReturnType<typeof setTimeout> | null = null;
    const due = new Promise<void>((resolve) => {
      this.#stir = resolve;
      if (dueMs === undefined || this.#running.size >= rule.runningMax) return;
      timer = setTimeout(resolve, Math.max(0, dueMs - nowMs()));
    });
    await Promise.race([due, ...this.#running.values()]);
    if (timer !== null) clearTimeout(timer);
  }

  /** There is something new to do. */
  stir(): void {
    this.#stir();
  }

  async #whole(job: JobRow): Promise<void> {
    const { say, random } = this.#deps;
    try {
      await this.#run(job);
    } catch (error) {
      // What fails here is ours: the job is not lost, and does not hold up the others.
      say(`${job.id} could not be run: ${String(error)}`);
      const step = afterRun(job, { code: "internal_error" }, random());
      if (step.kind === "again") this.#putOff(job, step);
      else this.#end(job, "failed", "internal_error");
    } finally {
      this.#running.delete(job.id);
    }
  }

  async #run(job: JobRow): Promise<void> {
    const { rows, seals, say, random } = this.#deps;
    const place = { job: job.id, part: "call" } as const;
    const opened = await seals.open(place, rows.sealed(place));
    if (opened === undefined) {
      say(`${job.id} does not open: JOBS_SECRET is another one than it was sealed under`);
      this.#end(job, "failed", "internal_error");
      return;
    }
    const reply = await this.#ask(job, JSON.parse(opened) as JobCall);
    const step = afterRun(job, reply === undefined ? { code: "jobs_unavailable" } : outcomeOf(reply), random());
    if (step.kind === "again") this.#putOff(job, step);
    else if (reply !== undefined) await this.#keep(job, step.kind, reply);
    // Whoever looks at the log by the job's id finds how it went.
    say(`${job.id} run ${job.attempts}: ${step.kind === "succeeded" ? step.kind : `${step.kind} ${step.code}`}`);
  }

  /** `undefined` when the gateway cannot be reached or does not answer in time. */
  async #ask({ id, attempts }: JobRow, call: JobCall): Promise<JobReply | undefined> {
    const { gateway, rule, say } = this.#deps;
    const timed = { ...call, headers: { ...call.headers, [headers.timeoutMs]: String(rule.runMsMax) } };
    let timer: ReturnType<typeof setTimeout> | null = null;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), rule.runMsMax + graceMs);
    });
    try {
      return await Promise.race([gateway.run(`${id}:${attempts}`, timed), late]);
    } catch (error) {
      say(`the gateway cannot be reached: ${String(error)}`);
      return undefined;
    } finally {
      if (timer !== null) clearTimeout(timer);
    }
  }

  async #keep(job: JobRow, status: "succeeded" | "failed", reply: JobReply): Promise<void> {
    const { seals, rule } = this.#deps;
    const text = JSON.stringify({ ...reply, headers: saidOfAnswer(reply.headers) });
    const sealed = await seals.seal({ job: job.id, part: "answer" }, text);
    if (sealed.length > rule.answerBytesMax) this.#end(job, "failed", "answer_too_large");
    else this.#end(job, status, status === "failed" ? (outcomeOf(reply).code ?? null) : null, sealed);
  }

  #putOff({ id }: JobRow, { code, breaks, delayMs }: { code: string; breaks: number; delayMs: number }): void {
    const { rows, atomically, nowMs } = this.#deps;
    atomically(() => rows.putOff(id, code, breaks, nowMs() + delayMs));
  }

  #end({ id }: JobRow, status: "succeeded" | "failed", code: string | null, answer?: Uint8Array<ArrayBuffer>): void {
    const { rows, atomically, nowMs, rule } = this.#deps;
    const endedMs = nowMs();
    const kept = answer === undefined ? {} : { answer };
    atomically(() => rows.end(id, { status, code, endedMs, dropMs: endedMs + rule.keptMs, ...kept }));
  }
}
