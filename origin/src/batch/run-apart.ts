import { errors, type Fault, type Result } from "@ledge/contract";

/**
 * Runs jobs together; when that fails by what may be the fault of one of them, by halves, so that only those at fault fail. A job is
 * run once, and once more for each halving: 6 times at most among 32, however often the engine breaks.
 *
 * @param isWanted whether somebody still waits for a job: what nobody waits for is not run again
 * @returns an outcome for each job that was run to an end
 */
export async function runApart<Job, Answer>(
  jobs: readonly Job[],
  run: (jobs: readonly Job[]) => Promise<Result<readonly Answer[]>>,
  isWanted: (job: Job) => boolean,
): Promise<readonly (readonly [Job, Result<Answer>])[]> {
  const together = await run(jobs);
  if (together.ok) {
    return jobs.map((job, at) => {
      const value = together.value[at];
      return [job, value === undefined ? tooFew : { ok: true, value }] as const;
    });
  }
  if (jobs.length === 1 || !mayBeOnes(together.fault)) return jobs.map((job) => [job, together] as const);
  const outcomes: (readonly [Job, Result<Answer>])[] = [];
  const middle = Math.ceil(jobs.length / 2);
  for (const half of [jobs.slice(0, middle), jobs.slice(middle)]) {
    const wanted = half.filter(isWanted);
    if (wanted.length > 0) outcomes.push(...(await runApart(wanted, run, isWanted)));
  }
  return outcomes;
}

const tooFew: Result<never> = {
  ok: false,
  fault: { code: "internal_error", cause: "A run gave fewer answers than calls." },
};

/** An engine that is full, gone or called off would fail every one of them: to ask it again and again helps nobody. */
function mayBeOnes({ code }: Fault): boolean {
  return errors[code].owner === "client" || code === "upstream_failed";
}
