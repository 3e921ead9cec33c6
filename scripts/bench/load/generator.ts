import { type Answer, Connection, requestBytes } from "./connection.ts";
import type { Findings, Job, Reply } from "./job.ts";

/** The load generator: a process of its own, so that its work and the driver's never share an event loop. */

/** Runs one job. Rejects on the first answer that is not 200 or lacks what the job expects, or on a lost connection. */
function run(job: Job): Promise<Findings> {
  const url = new URL(job.url);
  const request = requestBytes(url, job.headers, job.body);
  const idle = Array.from({ length: job.connections }, () => new Connection(url.hostname, Number(url.port)));
  const all = [...idle];
  const latencies: number[] = [];
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  const endMs = startedMs + job.seconds * 1000;

  return new Promise<Findings>((resolve, reject) => {
    let inFlight = 0;
    let sent = 0;
    let timer: NodeJS.Timeout | undefined;
    const finish = (error?: Error) => {
      clearTimeout(timer);
      const elapsedMs = performance.now() - startedMs;
      for (const connection of all) connection.close();
      if (error !== undefined) return reject(error);
      const cpu = process.cpuUsage(cpuBefore);
      resolve(findingsOf(latencies, elapsedMs, cpu.user + cpu.system));
    };
    const send = (connection: Connection) => {
      inFlight++;
      const atMs = performance.now();
      connection.send(request, (answer) => {
        inFlight--;
        const nowMs = performance.now();
        const wrong = faultOf(answer, job);
        if (wrong !== undefined) return finish(wrong);
        latencies.push(nowMs - atMs);
        if (job.rate !== undefined) idle.push(connection);
        else if (nowMs < endMs) return send(connection);
        if (inFlight === 0 && nowMs >= endMs) finish();
      });
    };
    if (job.rate === undefined) {
      for (const connection of idle) send(connection);
      return;
    }
    const periodMs = 1000 / job.rate;
    const tick = () => {
      const nowMs = performance.now();
      if (nowMs >= endMs) return inFlight === 0 ? finish() : undefined;
      for (; startedMs + sent * periodMs <= nowMs; sent++) {
        const connection = idle.pop();
        if (connection === undefined) return finish(new Error(`${job.connections} requests are still in flight`));
        send(connection);
      }
      timer = setTimeout(tick, Math.max(0, startedMs + sent * periodMs - performance.now()));
    };
    tick();
  });
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
