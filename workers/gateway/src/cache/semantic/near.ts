import type { CacheHit, SemanticRule } from "@ledge/policy";
import type { Found } from "../call.ts";
import type { NearCandidate, SealingKeys, SemanticIndexPort } from "./ports.ts";

/** What one call's way to answers of like prompts is made of. */
export interface NearDeps {
  readonly index: SemanticIndexPort;
  readonly rule: SemanticRule;
  readonly prompt: string;
  /** Of the call's own entry, in the exact cache. */
  readonly id: string;
  readonly freshUntilMs: () => number;
  /** The index for vectors of this embedder, told by its digest. */
  readonly indexOf: (embedder: string) => Promise<string>;
  readonly keys: () => Promise<SealingKeys>;
  /** The fresh answer that the exact cache keeps under an id, to be reported as it is told; `undefined` when it has none. */
  readonly read: (id: string) => Promise<((semantic: NonNullable<CacheHit["semantic"]>) => Found) | undefined>;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

/** A prompt as its embedder places it. */
export interface Placed {
  /** Digest of the embedder's package: vectors of two embedders cannot be compared. */
  readonly embedder: string;
  /** Of length 1. */
  readonly vector: Float32Array;
}

/**
 * Answers to prompts that mean the same: candidates by nearness and words, of which somebody else judges whether one will do.
 * Nothing here fails a call: what cannot be had is not there.
 */
export class Near {
  readonly rule: SemanticRule;
  readonly prompt: string;
  /** Entries of the index that were found changed or in another's place: an alarm. */
  unreadable = 0;
  readonly #deps: NearDeps;
  #fetched: { readonly id: string; readonly answer: ReturnType<NearDeps["read"]> } | undefined;

  constructor(deps: NearDeps) {
    this.#deps = deps;
    this.rule = deps.rule;
    this.prompt = deps.prompt;
  }

  /** Nearest first; none that differs from the prompt in a word that matters. */
  async candidates({ embedder, vector }: Placed): Promise<readonly NearCandidate[]> {
    const { index, rule, prompt, id, indexOf, keys } = this.#deps;
    const { candidatesMax: k, similarityMin } = rule;
    const found = await index.find(await indexOf(embedder), { keys: await keys(), vector, k, prompt, similarityMin });
    this.unreadable += found.unreadable;
    return found.candidates.filter((candidate) => candidate.id !== id);
  }

  /** Begins to read a candidate's answer, for it may be taken. */
  fetch({ id }: NearCandidate): void {
    this.#fetched = { id, answer: this.#deps.read(id) };
  }

  /** The candidate's answer, while it is fresh and nothing of it was purged. One that has none is no candidate any more. */
  async take(candidate: NearCandidate, embedder: string, probability: number): Promise<Found | undefined> {
    const { index, indexOf, read, waitUntil } = this.#deps;
    const { id, similarity } = candidate;
    const answer = await (this.#fetched?.id === id ? this.#fetched.answer : read(id));
    const found = answer?.({ id, similarity, probability });
    const name = indexOf(embedder);
    waitUntil(name.then(async (it) => (found === undefined ? await index.remove(it, id) : await index.used(it, id))));
    return found;
  }

  /** For the next prompts: the call's own answer is kept now. */
  keep(placed: Placed): void {
    this.#deps.waitUntil(this.#add(placed).catch(() => undefined));
  }

  async #add({ embedder, vector }: Placed): Promise<void> {
    const { index, rule, prompt, id, freshUntilMs, indexOf, keys } = this.#deps;
    const entry = { id, prompt, slot: "", vector, expiresAtMs: freshUntilMs() };
    await index.add(await indexOf(embedder), { keys: await keys(), entry, entriesMax: rule.entriesMax });
  }
}
