import type { Job } from "@ledge/contract";
import type { ChatOrigin } from "./chat-origin.ts";
import { type TestEdge, until } from "./ledge.ts";

/** A caller that would rather be answered later than not at all, and its jobs. */

export const later = { Prefer: "respond-async" };

type Edge = Pick<TestEdge, "url">;

/** Sends a chat. */
export function chat(edge: Edge, key: string, more: object = {}, headers: Readonly<Record<string, string>> = later) {
  const body = JSON.stringify({ model: "tiny-chat", messages: [{ role: "user", content: "hello" }], ...more });
  const said = { Authorization: `Bearer ${key}`, "Content-Type": "application/json", ...headers };
  return fetch(`${edge.url}/v1/chat/completions`, { method: "POST", headers: said, body });
}

/** A chat that is taken as a job. Throws when it is not. */
export async function takenJob(edge: Edge, key: string, more: object = {}, headers = later): Promise<Job> {
  const answer = await chat(edge, key, more, headers);
  if (answer.status !== 202) throw new Error(`no job: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Job;
}

export function askJobs(edge: Edge, key: string, path = "", method = "GET"): Promise<Response> {
  return fetch(`${edge.url}/v1/jobs${path}`, { method, headers: { Authorization: `Bearer ${key}` } });
}

export async function shownJob(edge: Edge, key: string, id: string): Promise<Job> {
  const answer = await askJobs(edge, key, `/${id}`);
  if (answer.status !== 200) throw new Error(`${id}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Job;
}

/** The job once it is over. */
export async function overJob(edge: Edge, key: string, id: string, withinMs = 40_000): Promise<Job> {
  let job = await shownJob(edge, key, id);
  await until(
    `${id} is over`,
    async () => {
      job = await shownJob(edge, key, id);
      return !/^(?:queued|running)$/.test(job.status);
    },
    withinMs,
  );
  return job;
}

/** What a chat's answer says. */
export function wordsOf({ answer }: Job): string | undefined {
  const { choices } = (answer?.body ?? {}) as {
    readonly choices?: readonly { readonly message: { content: string } }[];
  };
  return choices?.[0]?.message.content;
}

export function setDown(origin: ChatOrigin): void {
  origin.onCall = (call) => call.fault(503, "overloaded", 1);
}

export function setUp(origin: ChatOrigin, words = "well rested"): void {
  origin.onCall = (call) => call.whole(words);
}
