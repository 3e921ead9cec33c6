import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SignJWT } from "jose";
import { afterEach, describe, expect, test } from "vitest";
import { freePort } from "../../scripts/bench/free-port.ts";
import { runOrigin } from "../../scripts/local/origin.ts";
import { bodyOf } from "../support/answer-body.ts";
import { type ChatOrigin, startChatOrigin } from "../support/chat-origin.ts";
import { startEdgeProcess } from "../support/edge-process.ts";
import { IdentityProvider } from "../support/identity-provider.ts";
import { askJobs, chat, later, overJob, setDown, setUp, shownJob, takenJob, wordsOf } from "../support/jobs.ts";
import { originSecret, startEdge, type TestEdge, until } from "../support/ledge.ts";
import { storeKey } from "../support/stored-keys.ts";

/** What becomes of jobs when something breaks, ends or is not there. */

const over: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of over.splice(0).reverse()) await end();
});

async function scripted(): Promise<ChatOrigin> {
  const origin = await startChatOrigin();
  over.push(() => origin.close());
  setDown(origin);
  return origin;
}

async function started(options: Parameters<typeof startEdge>[0]): Promise<TestEdge & { readonly key: string }> {
  const edge = await startEdge(options);
  over.push(() => edge.close());
  return { ...edge, key: (await edge.issueKey()).key };
}

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), "ledge-job-faults-"));
  over.push(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

describe("a job that was taken", () => {
  test.each([
    ["waits", setDown],
    ["runs", (origin: ChatOrigin) => (origin.onCall = () => undefined)],
  ])(
    "survives the death of the edge while it %s, and is answered by the next one without being asked for",
    async (_when, state) => {
      const origin = await scripted();
      const options = { originUrl: origin.url, dataDir: folder(), jobs: { RUN_MS_MAX: "3000" } };
      const first = await startEdge(options);
      const { key } = await storeKey(first);
      await first.close();
      const dying = await startEdgeProcess(options);
      const { id } = await takenJob(dying, key);
      state(origin);
      const before = origin.calls.length;
      if (state !== setDown) await until("its run is under way", () => origin.calls.length > before, 20_000);
      await dying.kill();
      setUp(origin);
      const asked = origin.calls.length;
      const next = await startEdge(options);
      over.push(() => next.close());
      await until("it is run again", () => origin.calls.length > asked, 40_000);
      const job = await overJob(next, key, id);
      expect([job.status, wordsOf(job)]).toEqual(["succeeded", "well rested"]);
    },
  );

  test("survives a killed engine, also one that is killed while it answers it", async () => {
    const port = await freePort();
    const slow = [{ name: "tiny-chat", tokens: ["well", " rested"], tokenMs: 60_000 }];
    const start = (models: object) =>
      runOrigin({
        port,
        secret: originSecret,
        env: { MODELS: "none", DRAIN_MS: "200", FAKE_MODELS: JSON.stringify(models) },
      });
    const edge = await started({ originUrl: `http://127.0.0.1:${port}` });
    const { id } = await takenJob(edge, edge.key);
    const dying = await start(slow);
    over.push(() => dying.kill());
    await until(
      "the engine answers it",
      async () => {
        const { status, started_at = "" } = await shownJob(edge, edge.key, id);
        // Without an engine a run is over at once.
        return status === "running" && Date.now() - Date.parse(started_at) > 1_000;
      },
      30_000,
    );
    await dying.kill();
    const back = await start([{ name: "tiny-chat", tokens: ["well", " rested"] }]);
    over.push(() => back.close());
    const job = await overJob(edge, edge.key, id);
    expect([job.status, wordsOf(job)]).toEqual(["succeeded", "well rested"]);
  });

  test("and that nobody answers in time has expired, says so, and does not run any more", async () => {
    const origin = await scripted();
    const edge = await started({ originUrl: origin.url, jobs: { JOB_AGE_S_MAX: "1" } });
    const job = await takenJob(edge, edge.key);
    const ended = await overJob(edge, edge.key, job.id);
    expect(ended).toMatchObject({ status: "expired", error: { code: "overloaded" } });
    expect(Date.parse(ended.expires_at) - Date.parse(ended.created_at)).toBe(1_000);
    expect(await (await askJobs(edge, edge.key, `/${job.id}`, "DELETE")).json()).toMatchObject({ status: "expired" });
  });

  test("and is over is kept for a while, then it is gone", async () => {
    const origin = await scripted();
    const edge = await started({ originUrl: origin.url, jobs: { JOB_KEPT_S: "1" } });
    const { id } = await takenJob(edge, edge.key);
    expect((await askJobs(edge, edge.key, `/${id}`, "DELETE")).status).toBe(200);
    await until("it is gone", async () => (await askJobs(edge, edge.key, `/${id}`)).status === 404);
  });

  test("and cannot be opened any more, as the secret is another one, fails and is not run", async () => {
    const origin = await scripted();
    const options = { originUrl: origin.url, dataDir: folder() };
    const first = await startEdge(options);
    const { key } = await storeKey(first);
    const { id } = await takenJob(first, key);
    await first.close();
    setUp(origin);
    const asked = origin.calls.length;
    const next = await startEdge({
      ...options,
      jobs: { JOBS_SECRET: "another-secret-than-the-calls-were-sealed-under" },
    });
    over.push(() => next.close());
    expect(await overJob(next, key, id)).toMatchObject({ status: "failed", error: { code: "internal_error" } });
    expect(origin.calls.length).toBe(asked);
  });
});

describe("a call that nobody can answer is refused as ever", () => {
  const refusal = async (edge: TestEdge & { readonly key: string }, headers: Readonly<Record<string, string>>) => {
    const answer = await chat(edge, edge.key, {}, headers);
    const { error } = await bodyOf(answer);
    return { status: answer.status, offer: answer.headers.get("Ledge-Job-Offer"), error };
  };

  test("where there are no jobs: nothing is offered, and there is nothing at their paths", async () => {
    const origin = await scripted();
    const edge = await started({ originUrl: origin.url, unbound: ["JOBS"] });
    for (const headers of [later, {}]) {
      const { status, offer, error } = await refusal(edge, headers);
      expect([status, offer, error.code, error.message.includes("Prefer")]).toEqual([503, null, "overloaded", false]);
    }
    expect((await askJobs(edge, edge.key)).status).toBe(404);
  });

  test("where the jobs Worker fails", async () => {
    const origin = await scripted();
    const edge = await started({
      originUrl: origin.url,
      standIns: { jobs: "export default { fetch: () => new Response() }" },
    });
    expect(await refusal(edge, later)).toMatchObject({ status: 503, error: { code: "overloaded" } });
    const answer = await askJobs(edge, edge.key);
    expect([answer.status, (await bodyOf(answer)).code]).toEqual([503, "jobs_unavailable"]);
  });

  test("when its tenant has as many jobs as it may, and is taken again once one is over", async () => {
    const origin = await scripted();
    const edge = await started({ originUrl: origin.url, jobs: { JOBS_WAITING_MAX: "2" } });
    const ids = [(await takenJob(edge, edge.key)).id, (await takenJob(edge, edge.key)).id];
    expect(await refusal(edge, later)).toMatchObject({ status: 503, error: { code: "overloaded" } });
    const { key: other } = await edge.issueKey({ tenant: "other" });
    await takenJob(edge, other);
    await askJobs(edge, edge.key, `/${ids[0]}`, "DELETE");
    await takenJob(edge, edge.key);
  });

  test("when what jobs are sealed under is not set", async () => {
    const origin = await scripted();
    const edge = await started({ originUrl: origin.url, jobs: { JOBS_SECRET: "short" } });
    expect(await refusal(edge, later)).toMatchObject({ status: 503, error: { code: "overloaded" } });
    expect(edge.logs.join("\n")).toContain("set these variables or secrets of the jobs Worker: JOBS_SECRET");
  });
});

describe("the job of a token's bearer", () => {
  test("runs by what its issuer vouched for, until the token expires, and not after that", async () => {
    const origin = await scripted();
    const provider = new IdentityProvider();
    over.push(() => provider.server.close());
    const jwks_url = await provider.listen();
    const signer = await provider.addKey("ES256", "one");
    const known = [{ name: "idp", issuer: "https://issuer.example", audiences: ["ledge"], jwks_url, clock_skew_s: 0 }];
    const edge = await started({
      originUrl: origin.url,
      identity: { ISSUERS: JSON.stringify(known), PRIVATE_ISSUERS: "allow" },
    });
    const token = (sub: string, seconds: number) =>
      new SignJWT({
        iss: "https://issuer.example",
        aud: "ledge",
        sub,
        tenant: "acme",
        exp: Math.floor(Date.now() / 1000) + seconds,
      })
        .setProtectedHeader({ alg: "ES256", kid: "one" })
        .sign(signer);
    const brief = await takenJob(edge, await token("brief", 4));
    const long = await token("ada", 600);
    const job = await takenJob(edge, long);
    const refused = `${brief.id} run [0-9]+: failed expired_credentials`;
    await until("the token has expired", () => edge.logs.some((line) => new RegExp(refused).test(line)), 40_000);
    setUp(origin);
    expect((await overJob(edge, long, job.id)).status).toBe("succeeded");
    // A fresh token of the same user is the same caller.
    expect((await shownJob(edge, await token("ada", 60), job.id)).status).toBe("succeeded");
    expect((await askJobs(edge, await token("eve", 60), `/${job.id}`)).status).toBe(404);
  });
});
