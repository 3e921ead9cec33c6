import { readdirSync, readFileSync } from "node:fs";

/** What Linux says of a process. Elsewhere there is no /proc: then the figures are NaN and print as "–". */

/** Resident memory, bytes. */
export function residentBytes(pid: number): number {
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Number(kib) * 1024;
  } catch {
    return Number.NaN;
  }
}

/** CPU time spent so far by all threads, microseconds. From the scheduler, so exact to well below a tick. */
export function cpuUs(pid: number): number {
  try {
    let ns = 0;
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
    }
    return ns / 1000;
  } catch {
    return Number.NaN;
  }
}
