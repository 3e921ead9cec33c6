import { setTimeout } from "node:timers/promises";
import { randomOf } from "../../simulate/random.ts";
import { type Answer, Connection, requestBytes } from "./connection.ts";
import { type Findings, type Job, numberPlace, type Reply } from "./job.ts";

const nothing = Buffer.alloc(0);

/** The load generator: a process of its own, so that its work and the driver's never share an event loop. */

/** Runs one job. Rejects on the first answer that is not 200 or lacks what the job expects, or on a lost connection. */
async function run(job: Job): Promise<Findings> {
  const url = new URL(job.url);
  const request = requestsOf(job, url);
  const connections = Array.from({ length: job.connections }, () => new Connection(url.hostname, Number(url.port)));
  const latencies: number[] = [];
  const send = async (connection: Connection) => {
    const atMs = performance.now();
    const answer = await new Promise<Answer | Error>((settle) => connection.send(request.next(), settle));
    const nowMs = performance.now();
    const wrong = faultOf(answer, job);
    if (wrong !== undefined) throw wrong;
    latencies.push(nowMs - atMs);
  };
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  const endMs = startedMs + job.seconds * 1000;
  try {
    if (job.rate === undefined)
      await Promise.all(connections.map((connection) => keepBusy(connection, send, endMs, request)));
    else await keepPace(connections, send, gapsOf(job, 1000 / job.rate), startedMs, endMs);
  } finally {
    for (const connection of connections) connection.close();
  }
  const cpu = process.cpuUsage(cpuBefore);
  return findingsOf(latencies, performance.now() - startedMs, cpu.user + cpu.system);
}

type Send = (connection: Connection) => Promise<void>;

/** The next request as soon as the last one is answered. */
async function keepBusy(connection: Connection, send: Send, endMs: number, { left }: Requests): Promise<void> {
  while (performance.now() < endMs && left()) await send(connection);
}

interface Requests {
  next(): Buffer;
  left(): boolean;
}

/** The bytes to send: always the same, or each with its own credential or number. */
function requestsOf({ headers, body, series, credentials }: Job, url: URL): Requests {
  if (credentials !== undefined) {
    const { list, once } = credentials;
    const all = list.map((Authorization) => requestBytes(url, { ...headers, Authorization }, body));
    let sent = 0;
    return { next: () => all[sent++ % all.length] ?? nothing, left: () => once !== true || sent < all.length };
  }
  const bytes = requestBytes(url, headers, body);
  if (series === undefined) return { next: () => bytes, left: () => true };
  const { from, times, requestsMax = Number.POSITIVE_INFINITY } = series;
  const at = bytes.lastIndexOf(numberPlace);
  let sent = 0;
  const next = () => {
    const numbered = Buffer.from(bytes);
    numbered.write(String(from + Math.floor(sent++ / times)).padStart(numberPlace.length, "0"), at);
    return numbered;
  };
  return { next, left: () => sent < requestsMax };
}

/** Milliseconds from each request to the next. */
function gapsOf({ isPoisson }: Job, periodMs: number): () => number {
  if (isPoisson !== true) return () => periodMs;
  const random = randomOf(1);
  return () => -Math.log(1 - random()) * periodMs;
}

/** Requests by the clock, however long the answers take: a slow answer must not delay, and so hide, the next one. */
async function keepPace(idle: Connection[], send: Send, gapMs: () => number, startedMs: number, endMs: number) {
  const underway = new Set<Promise<void>>();
  let failed: unknown;
  for (let dueMs = startedMs; dueMs < endMs; dueMs += gapMs()) {
    await setTimeout(Math.max(0, dueMs - performance.now()));
    if (failed !== undefined) throw failed;
    const connection = idle.pop();
    if (connection === undefined) throw new Error(`${underway.size} requests are still in flight`);
    const work = send(connection)
      .then(() => void idle.push(connection))
      .catch((error) => {
        failed ??= error;
      })
      .finally(() => underway.delete(work));
    underway.add(work);
  }
  await Promise.all(underway);
  if (failed !== undefined) throw failed;
}

function faultOf(answer: Answer | Error, job: Job): Error | undefined {
  if (answer instanceof Error) return answer;
  if (answer.status !== 200) return new Error(`${job.url} answered ${answer.status}:\n${answer.head}`);
  if (job.expect.length === 0) return undefined;
  const head = answer.head.toLowerCase();
  const missing = job.expect.find((part) => !head.includes(part));
  return missing === undefined ? undefined : new Error(`${job.url} answered without "${missing}":\n${answer.head}`);
}

function findingsOf(latencies: number[], elapsedMs: number, cpuUs: number): Findings {
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  const sum = latencies.reduce((total, latency) => total + latency, 0);
  return {
    answers: latencies.length,
    seconds: elapsedMs / 1000,
    requestsPerSecond: (latencies.length * 1000) / elapsedMs,
    latencyMsMean: sum / Math.max(1, latencies.length),
    latencyMsP50: at(0.5),
    latencyMsP99: at(0.99),
    generatorCpuUs: cpuUs / Math.max(1, latencies.length),
  };
}

process.on("message", async ({ id, job }: { readonly id: number; readonly job: Job }) => {
  let reply: Reply;
  try {
    reply = { id, findings: await run(job) };
  } catch (error) {
    reply = { id, error: error instanceof Error ? error.message : String(error) };
  }
  process.send?.(reply);
});
// A driver that dies takes its generator along.
process.on("disconnect", () => process.exit(0));
