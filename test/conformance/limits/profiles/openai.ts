import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { NotOffered } from "../../suite/judge.ts";
import type { Allowed, Profile } from "../profile.ts";

/** Any gateway that speaks OpenAI's API: a command of the user's makes its keys. */
export const openai: Profile = {
  name: "openai",
  about: "The mock origin is the target's upstream; --issue makes keys, --claims says what it limits.",
  claims: new Set(["requests"]),
  dress: ({ key }) => ({ Authorization: `Bearer ${key}` }),
  async issue(allowed, { issueCommand }) {
    if (issueCommand === undefined) throw new Error("--issue is needed to make keys");
    return { key: await keyFrom(issueCommand, allowed) };
  },
};

/** Exit code 3 says that there is no such limit. */
async function keyFrom(command: string, allowed: Allowed): Promise<string> {
  const child = spawn(command, { shell: true, stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  child.stdin.on("error", () => undefined);
  child.stdin.end(JSON.stringify(allowed));
  const key = (await text(child.stdout)).trim();
  const code = await ended;
  if (code === 3) throw new NotOffered("--issue says that there is no such limit");
  if (code !== 0 || key === "") throw new Error(`--issue ended with ${code} and the key '${key}'`);
  return key;
}
