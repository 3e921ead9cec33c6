import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** Resident memory of all processes of a group, bytes; 0 when it has none or the system does not say. */
export function residentBytes(group: number | undefined): number {
  if (group === undefined) return 0;
  try {
    return process.platform === "linux" ? fromProc(group) : fromPs(group);
  } catch {
    return 0;
  }
}

const pageBytes = 4096;

function fromProc(group: number): number {
  let bytes = 0;
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      // pid (name) state parent group … resident pages is field 24; the name may hold spaces and brackets.
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (Number(fields[2]) === group) bytes += Number(fields[21]) * pageBytes;
    } catch {
      // The process ended between the two reads.
    }
  }
  return bytes;
}

function fromPs(group: number): number {
  const lines = execFileSync("ps", ["-axo", "pgid=,rss="], { encoding: "utf8" }).trim().split("\n");
  const own = lines.map((line) => line.trim().split(/\s+/).map(Number)).filter(([pgid]) => pgid === group);
  return own.reduce((sum, [, kibibytes]) => sum + (kibibytes ?? 0) * 1024, 0);
}
