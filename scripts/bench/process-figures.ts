import { existsSync, readdirSync, readFileSync } from "node:fs";

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

/** As {@link cpuUs}, with all that the process started and that still run. */
export function treeCpuUs(pid: number): number {
  const parents = new Map<number, number>();
  if (!existsSync("/proc/self/stat")) return Number.NaN;
  for (const name of readdirSync("/proc").filter((each) => /^[0-9]+$/.test(each))) {
    try {
      // The program's name stands in brackets and may hold anything; the parent is the second number behind it.
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const isWithin = (each: number | undefined): boolean =>
    each === pid || (each !== undefined && each > 1 && isWithin(parents.get(each)));
  return [...parents.keys()].filter(isWithin).reduce((sum, each) => sum + (cpuUs(each) || 0), 0);
}
