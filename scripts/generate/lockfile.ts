import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Lockfile, type LockGap, lockfileGaps } from "../check/lockfile-gaps.ts";
import { repoRoot } from "../repo.ts";
import type { Generated } from "./generated.ts";

/** `package-lock.json` with the entries npm left out; everything that npm wrote stays as it is. */
export async function lockfile(): Promise<Generated> {
  const text = await readFile(join(repoRoot, "package-lock.json"), "utf8");
  return { path: "package-lock.json", text: filled(JSON.parse(text)) };
}

/** Fills the gaps with what a name tells: version, system, processor. npm adds the integrity when it first installs one. */
export function filled(lock: Lockfile): string {
  const packages: Record<string, unknown> = { ...lock.packages };
  for (const gap of lockfileGaps(lock)) packages[`node_modules/${gap.name}`] = entryOf(gap);
  const inOrder = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, "en"));
  return `${JSON.stringify({ ...lock, packages: Object.fromEntries(inOrder) }, null, 2)}\n`;
}

const systems = { android: "android", darwin: "darwin", linux: "linux", win32: "win32", windows: "win32" } as const;
const processors = { arm64: "arm64", x64: "x64", "64": "x64" } as const;

function entryOf({ name, range, dev }: LockGap): object {
  const words = name.split(/[/-]/);
  const os = words.flatMap((word) => (word in systems ? [systems[word as keyof typeof systems]] : []));
  const cpu = words.flatMap((word) => (word in processors ? [processors[word as keyof typeof processors]] : []));
  if (os.length !== 1 || cpu.length !== 1 || !/^\d+\.\d+\.\d+$/.test(range)) {
    throw new Error(`package-lock.json lacks '${name}', which is no build for another system: run 'npm install'.`);
  }
  const libc = words.includes("musl") ? { libc: ["musl"] } : {};
  return { version: range, cpu, ...(dev ? { dev } : {}), ...libc, optional: true, os };
}
