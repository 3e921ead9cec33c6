import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, availableParallelism, cpus, loadavg, platform, totalmem } from "node:os";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly workerd: string;
  /** Processes that wanted a core in the last minute, before the bench began: 0 on a quiet machine. */
  readonly loadBefore: number;
}

export function readMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${arch()}`,
    node: process.version,
    workerd: workerdVersion(),
    loadBefore: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  };
}

function workerdVersion(): string {
  const path = createRequire(import.meta.url).resolve("workerd/package.json");
  return (JSON.parse(readFileSync(path, "utf8")) as { readonly version: string }).version;
}
