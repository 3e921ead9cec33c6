import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * What a laptop remembers between two starts. The demo key is in clear here and only here: the edge stores its hash,
 * and this file is what lets a pasted command work again tomorrow. Readable by its owner only.
 */
export interface LocalSecrets {
  readonly originSecret: string;
  readonly adminKey: string;
  /** Seals what the answer cache keeps. */
  readonly cacheSecret: string;
  /** Seals what is kept of jobs. */
  readonly jobsSecret: string;
  /** What API keys are hashed under. */
  readonly keyPepper: string;
  readonly demoKey?: string;
}

const edgeDirName = "edge";
const originDirName = "origin";
const journalDirName = "journal";
const secretsName = "secrets.json";

export function edgeDir(dataDir: string): string {
  return join(dataDir, edgeDirName);
}

/** Packages that the origin fetched. */
export function originDir(dataDir: string): string {
  return join(dataDir, originDirName);
}

/** What the origin writes down of calls. */
export function journalDir(dataDir: string): string {
  return join(dataDir, journalDirName);
}

/** Removes what earlier starts put into the folder, and nothing else that may lie there. */
export function dropState(dataDir: string): void {
  for (const name of [edgeDirName, originDirName, journalDirName, secretsName])
    rmSync(join(dataDir, name), { recursive: true, force: true });
}

/** Reads the secrets of an earlier start, or makes new ones. Throws one sentence when the file is broken. */
export function openSecrets(dataDir: string): LocalSecrets {
  const path = join(dataDir, secretsName);
  const later = { cacheSecret: newSecret("cache"), keyPepper: newSecret("pepper"), jobsSecret: newSecret("jobs") };
  if (!existsSync(path)) return { originSecret: newSecret("origin"), adminKey: newSecret("admin"), ...later };
  try {
    // A file of an earlier version lacks the later ones.
    const read = { ...later, ...JSON.parse(readFileSync(path, "utf8")) };
    const { originSecret, adminKey, cacheSecret, keyPepper, jobsSecret, demoKey } = read;
    if ([originSecret, adminKey, cacheSecret, keyPepper, jobsSecret].every((secret) => typeof secret === "string")) {
      const demo = typeof demoKey === "string" ? { demoKey } : {};
      return { originSecret, adminKey, cacheSecret, keyPepper, jobsSecret, ...demo };
    }
  } catch {
    // Falls through to the sentence below.
  }
  throw new Error(
    `${path} cannot be read: start with --fresh to drop the state, or with --data to use another folder.`,
  );
}

export function saveSecrets(dataDir: string, secrets: LocalSecrets): void {
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(join(dataDir, secretsName), JSON.stringify(secrets, null, 2), { mode: 0o600 });
}

function newSecret(name: string): string {
  return `ledge_${name}_${randomBytes(32).toString("base64url")}`;
}
