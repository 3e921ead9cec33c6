import { DurableObject } from "cloudflare:workers";
import type { Limits } from "@ledge/contract";
import {
  freshMeter,
  type Grant,
  isIdle,
  type MeterAnswer,
  type MeterAsk,
  type MeterState,
  meterStep,
} from "@ledge/policy";
import { grantChanges } from "./meter-changes.ts";

const countsKey = "counts";
const grantPrefix = "grant:";
/** What has drained and is held by nobody leaves the disk at the latest after so long. */
const tidyEveryMs = 86_400_000;
/** Keys of one write. */
const writeMax = 128;
/** Neither asks nor settlements wait for the disk: every call of the subject would wait with them. */
const unconfirmed = { allowUnconfirmed: true } as const;

/** All limits of one subject, counted in one place: load, decide, save. The decision is `meterStep`. */
export class Meter extends DurableObject<object> {
  #state: MeterState = freshMeter;
  #tidies = false;

  constructor(ctx: DurableObjectState, env: object) {
    super(ctx, env);
    void ctx.blockConcurrencyWhile(() => this.#load());
  }

  /**
   * There is no `await` between reading and writing, so no two calls can see the same state. What a crash of the machine can forget
   * is what was granted in the milliseconds before.
   */
  ask(limits: Limits, ask: MeterAsk): MeterAnswer {
    const before = this.#state;
    const [answer, after] = meterStep(limits, before, Date.now(), ask);
    this.#state = after;
    this.#save(before, after, answer.granted > 0);
    return answer;
  }

  /** From now on nothing is granted: the credential was revoked. Holds when it returns. */
  async close(): Promise<void> {
    await this.#say({ ...this.#state, closed: true });
  }

  override async alarm(): Promise<void> {
    this.#tidies = false;
    if (!isIdle(this.#state, Date.now())) return await this.#tidyLater();
    this.#state = freshMeter;
    await this.ctx.storage.deleteAll();
  }

  async #load(): Promise<void> {
    const { storage } = this.ctx;
    const counts = await storage.get<Omit<MeterState, "grants">>(countsKey);
    const grants = await storage.list<Grant>({ prefix: grantPrefix });
    if (counts !== undefined) this.#state = { ...counts, grants: [...grants.values()] };
    this.#tidies = (await storage.getAlarm()) !== null;
  }

  /** A refusal writes nothing: what has drained since can be drained again. */
  #save(before: MeterState, after: MeterState, granted: boolean): void {
    const { puts, deletes } = grantChanges(before, after);
    if (!granted && puts.length === 0 && deletes.length === 0) return;
    const { storage } = this.ctx;
    void storage.put(countsKey, countsOf(after), unconfirmed);
    for (let at = 0; at < puts.length; at += writeMax) {
      const some = puts.slice(at, at + writeMax).map((grant) => [grantPrefix + grant.lease, grant]);
      void storage.put(Object.fromEntries(some), unconfirmed);
    }
    for (let at = 0; at < deletes.length; at += writeMax) {
      const some = deletes.slice(at, at + writeMax).map((lease) => grantPrefix + lease);
      void storage.delete(some, unconfirmed);
    }
    if (!this.#tidies) void this.#tidyLater();
  }

  async #tidyLater(): Promise<void> {
    this.#tidies = true;
    await this.ctx.storage.setAlarm(Date.now() + tidyEveryMs, unconfirmed);
  }

  async #say(after: MeterState): Promise<void> {
    this.#state = after;
    await this.ctx.storage.put(countsKey, countsOf(after));
  }
}

function countsOf({ buckets, closed }: MeterState): Omit<MeterState, "grants"> {
  return { buckets, closed };
}
