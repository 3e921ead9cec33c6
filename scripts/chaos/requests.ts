import type { Passing, SeenRequest } from "./wire.ts";

/** What calls became on the wires before the origins. */
export interface Sent {
  readonly requests: number;
  /** Of these, sent while an earlier one was under way and had not failed. */
  readonly hedges: number;
}

interface Entry {
  requests: number;
  hedges: number;
  /** Those that have not failed. */
  readonly standing: Set<object>;
}

/** Requests of calls that reached the wires before the origins, by the id of the call. Looks at `/readyz` have none. */
export class Requests {
  readonly #calls = new Map<string, Entry>();

  readonly see = ({ id }: SeenRequest): Passing => {
    if (id === undefined) return { failed: () => undefined };
    const entry = this.#calls.get(id) ?? { requests: 0, hedges: 0, standing: new Set() };
    this.#calls.set(id, entry);
    entry.requests++;
    const [before, mine] = [[...entry.standing], {}];
    entry.standing.add(mine);
    // One that was given up for this one is known to be gone within the same turn, before or after.
    setImmediate(() => {
      if (before.some((one) => entry.standing.has(one))) entry.hedges++;
    });
    return { failed: () => void entry.standing.delete(mine) };
  };

  /** What each of these calls became, as far as it reached a wire; it is forgotten with that. */
  taken(calls: readonly { readonly id: string }[]): ReadonlyMap<string, Sent> {
    const taken = new Map<string, Sent>();
    for (const { id } of calls) {
      const sent = this.#calls.get(id);
      if (sent !== undefined) taken.set(id, sent);
      this.#calls.delete(id);
    }
    return taken;
  }
}
