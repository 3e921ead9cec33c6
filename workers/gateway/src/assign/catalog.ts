import { parse, type Result, registryState, type Snapshot } from "@ledge/contract";
import { firstLookMsMax, lookMsMax, snapshotUse } from "@ledge/policy";
import { type Background, Looks } from "../looks.ts";
import type { RegistryWatch, SnapshotStore } from "./ports.ts";
import { type CatalogView, viewOf } from "./view.ts";

/** The registry is told that it is missed, or lacks what is deployed here, at most this often. */
const wakeEveryMs = 60_000;

export interface CatalogDeps {
  /** Snapshot 0, from the bundle. */
  readonly shipped: Snapshot;
  readonly store: SnapshotStore;
  readonly registry: RegistryWatch;
  /** Says why a snapshot was not taken, to the operator. */
  readonly say: (what: string) => void;
  readonly nowMs: () => number;
}

/**
 * What is deployed, as this isolate knows it: always one whole snapshot, never older than a look a few seconds ago while
 * the store can be read. When to look is `snapshotUse`.
 */
export class Catalog {
  readonly #deps: CatalogDeps;
  #view: CatalogView;
  readonly #looks: Looks;
  #wokenMs = 0;

  constructor(deps: CatalogDeps) {
    this.#deps = deps;
    this.#view = viewOf(deps.shipped);
    this.#looks = new Looks((background) => this.#read(background), deps.nowMs);
  }

  /** The snapshot to answer a call with. Never fails. */
  async view(background: Background): Promise<CatalogView> {
    const { age } = this.#looks;
    const use = snapshotUse(age, this.#deps.nowMs());
    if (use === "renew") background(this.#looks.look(background, firstLookMsMax));
    if (use === "wait") {
      const first = age.freshMs === 0 && age.failedMs === 0;
      await this.#looks.look(background, first ? firstLookMsMax : lookMsMax);
    }
    return this.#view;
  }

  /** Asks the registry itself what it is now, for whoever has just changed it. What cannot be got comes with the next look. */
  async catchUp(): Promise<void> {
    try {
      const newer = await this.#deps.registry.newerThan(this.#view.snapshot.number);
      if (newer !== undefined) this.#adopt(newer);
    } catch (error) {
      this.#deps.say(`the registry cannot be asked: ${String(error)}`);
    }
  }

  /** Unless it is older than what is known. */
  #adopt(snapshot: Snapshot): void {
    if (snapshot.number > this.#view.snapshot.number) this.#view = viewOf(snapshot);
  }

  /** Whether the store could be read and what it has is known now. */
  async #read(background: Background): Promise<boolean> {
    const { store, say } = this.#deps;
    try {
      const number = await store.current();
      if (number !== undefined && number > this.#view.snapshot.number) {
        const snapshot = readSnapshot(await store.snapshot(number), number);
        if (!snapshot.ok) {
          say(`snapshot ${number} of the registry is not taken: ${snapshot.fault.cause}`);
          return false;
        }
        this.#adopt(snapshot.value);
      }
      this.#wake(background, number === undefined);
      return true;
    } catch (error) {
      say(`the registry's snapshots cannot be read: ${String(error)}`);
      return false;
    }
  }

  /** A deployment may bring packages that the registry has not seen, or be the first of all. */
  #wake(background: Background, unpublished: boolean): void {
    const { shipped, registry, nowMs } = this.#deps;
    if (nowMs() - this.#wokenMs < wakeEveryMs) return;
    const known = new Set(digestsIn(this.#view.snapshot));
    if (!unpublished && digestsIn(shipped).every((digest) => known.has(digest))) return;
    this.#wokenMs = nowMs();
    // A failure is the next isolate's to mend.
    background(registry.wake(unpublished).catch(() => undefined));
  }
}

function readSnapshot(value: unknown, number: number): Result<Snapshot> {
  const snapshot = parse(registryState, value);
  if (!snapshot.ok) {
    const cause = value === null ? "it is not there yet" : JSON.stringify(snapshot.fault.issues);
    return { ok: false, fault: { ...snapshot.fault, cause } };
  }
  if (snapshot.value.number === number) return snapshot;
  return { ok: false, fault: { code: "internal_error", cause: `it says that it is ${snapshot.value.number}` } };
}

function digestsIn({ models }: Snapshot): readonly string[] {
  return Object.values(models).flatMap(({ versions }) => versions.map(({ digest }) => digest));
}
