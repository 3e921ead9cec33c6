import { DurableObject } from "cloudflare:workers";
import { type Waking, type WakingAsk, type WakingTask, wakingTask } from "@ledge/policy/origins";
import type { Told, Turn } from "./turns.ts";

/** So long isolates may still not have heard of it. */
const toldForMs = 60_000;
const turnsMax = 1_000;

/**
 * Where isolates tell one another which origins they left and came back to: one object for the whole deployment, asked at most
 * every two seconds by each, never by a call that waits; and who of them wakes a model, which calls do wait for. It keeps nothing on disk: what it forgets, isolates find out again.
 */
export class OriginBook extends DurableObject {
  readonly #told = new Map<string, Told>();

  readonly #waking = new Map<string, Waking>();

  /** Who of the isolates wakes a model, and how that went. */
  waking(model: string, ask: WakingAsk): WakingTask {
    const [task, next] = wakingTask(this.#waking.get(model), ask, Date.now());
    this.#waking.delete(model);
    this.#waking.set(model, next);
    const [oldest] = this.#waking.keys();
    if (this.#waking.size > turnsMax && oldest !== undefined) this.#waking.delete(oldest);
    return task;
  }

  /** Takes turns, and gives the last of each key that is younger than a minute. */
  exchange(turns: readonly Turn[]): readonly Told[] {
    const atMs = Date.now();
    for (const { key, news } of turns) {
      this.#told.delete(key);
      this.#told.set(key, { key, news, atMs });
    }
    for (const [key, told] of this.#told) {
      if (atMs - told.atMs > toldForMs || this.#told.size > turnsMax) this.#told.delete(key);
    }
    return [...this.#told.values()];
  }
}
