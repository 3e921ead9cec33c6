import { DurableObject } from "cloudflare:workers";
import { faded, hottest, type Usage } from "@ledge/policy";
import type { OperatorEnv } from "../../env.ts";

const usedKey = "used";
const pushedKey = "pushed";
const pushEveryMs = 60_000;
/** Used less than this lately, a package is forgotten. Calls. */
const forgetBelow = 0.01;

interface Pushed {
  readonly digests: readonly string[];
  readonly atMs: number;
}

/** Which packages are used most, over all models: one object, told by each model's counter, telling the registry. */
export class HotList extends DurableObject<OperatorEnv> {
  /** How much packages were used lately, by digest. */
  async tell(used: Readonly<Record<string, Usage>>): Promise<void> {
    const nowMs = Date.now();
    const all = { ...this.ctx.storage.kv.get<Record<string, Usage>>(usedKey), ...used };
    const kept = Object.entries(all).filter(([, { calls, atMs }]) => faded(calls, nowMs - atMs) >= forgetBelow);
    this.ctx.storage.kv.put(usedKey, Object.fromEntries(kept));
    await this.#push();
  }

  override async alarm(): Promise<void> {
    await this.#push();
  }

  /** When the order changed, and at most once a minute: each push is a new snapshot for every gateway. */
  async #push(): Promise<void> {
    const nowMs = Date.now();
    const digests = hottest(this.ctx.storage.kv.get<Record<string, Usage>>(usedKey) ?? {}, nowMs);
    const last = this.ctx.storage.kv.get<Pushed>(pushedKey) ?? { digests: [], atMs: 0 };
    if (digests.join() === last.digests.join()) return;
    if (nowMs < last.atMs + pushEveryMs) {
      await this.ctx.storage.setAlarm(last.atMs + pushEveryMs);
      return;
    }
    const done = await this.env.REGISTRY.getByName("registry").change(
      { kind: "set-hot", digests: [...digests] },
      "controller",
    );
    if (done.ok) this.ctx.storage.kv.put<Pushed>(pushedKey, { digests, atMs: nowMs });
    else console.error(JSON.stringify({ hotList: "the registry refused it", code: done.fault.code }));
  }
}
