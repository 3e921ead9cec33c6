import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Refusal } from "../refusal.ts";
import type { Terminal } from "../tell/terminal.ts";

/** Whom a command talks to, and as whom. The key is never printed. */
export interface Target {
  readonly url: URL;
  readonly key: string;
}

const urlDefault = "http://127.0.0.1:8787";

/**
 * The deployment: `--url`, else LEDGE_URL, else `npm start` on this machine. The operator's key: LEDGE_ADMIN_KEY, else, for
 * this machine only, what `npm start` keeps in `.ledge/secrets.json` here or in a folder above.
 *
 * @throws Refusal when a part is missing, or the key would travel in clear to another machine.
 */
export function targetOf(flag: string | undefined, { env, cwd }: Pick<Terminal, "env" | "cwd">): Target {
  const text = flag ?? env.LEDGE_URL ?? urlDefault;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "" || url.search !== "") {
    throw new Refusal(`--url takes an address such as https://ledge.example.com, not '${text}'.`, 2);
  }
  const local = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (!local && url.protocol === "http:") {
    throw new Refusal(
      `${url.origin} is not this machine, and http:// would show the operator's key on the way: use https://.`,
      2,
    );
  }
  const key = env.LEDGE_ADMIN_KEY || (local ? keyOfStart(cwd) : undefined);
  if (key !== undefined) return { url, key };
  const start = local ? " On this machine 'npm start' keeps one in .ledge/secrets.json: run this in its checkout." : "";
  throw new Refusal(`There is no operator's key: put it into the environment as LEDGE_ADMIN_KEY.${start}`, 2);
}

function keyOfStart(cwd: string): string | undefined {
  for (let folder = cwd; ; folder = dirname(folder)) {
    try {
      const { adminKey } = JSON.parse(readFileSync(join(folder, ".ledge", "secrets.json"), "utf8"));
      if (typeof adminKey === "string") return adminKey;
    } catch {
      // Not here: perhaps further up.
    }
    if (folder === dirname(folder)) return undefined;
  }
}
