/** Ids sort by when they were made; the rest is chance. */
export function newJobId(nowMs: number): string {
  return `job_${nowMs.toString(16).padStart(12, "0")}${crypto.randomUUID().replaceAll("-", "").slice(0, 16)}`;
}

/** Sorts behind every id: where the first page begins. */
export const afterAllIds = "job_g";
