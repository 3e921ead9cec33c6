import { SemanticIndex as Shipped } from "@ledge/gateway/semantic";
import { newRows } from "@ledge/gateway/semantic-rows";
import { codesOf, NearestIndex, PlainRows } from "@ledge/policy";
import { clusteredVectors, nearestOf } from "../../../../test/support/clustered-vectors.ts";

/**
 * The semantic index, as the gateway calls it and from inside. `POST {kind, size, …}`, where `size` is how many entries the index
 * that is asked holds:
 *
 * - `fill`: makes the next `count` vectors and adds them, for every index that has room for them
 * - `find`: the five nearest from the Durable Object, opened; 503 while it is being read back
 * - `ask`: two candidates for a prompt that half of the entries differ from in a number, as the gateway asks; 503 likewise
 * - `hop`: the same way to the object, where nothing is looked for
 * - `search`: the 32 nearest in an index of this isolate; `plain`: the same in plain JavaScript; `exact`: the nearest by looking at every vector in single precision
 * - `recall`: how often the two agree, over `count` vectors
 * - `size`: what the object holds; `evict`: ends it, so that its next call reads it back from disk
 */

export class SemanticIndex extends Shipped {
  evict() {
    this.ctx.abort("evicted by the bench");
  }
}

const dimensions = 384;
/** How many of the nearest the object may have to open for that. */
const lookedAt = 32;
const question = "a question of about eighty characters, as people ask assistants";
const keys = [{ id: "bench", bytes: new Uint8Array(32).fill(7) }];
const source = clusteredVectors(dimensions, 1);
const asked = clusteredVectors(dimensions, 1);
const near = new Map();
const plain = new Map();
let rows = new Float32Array(0);
let filled = 0;
let queries = [];
let next = 0;

function query() {
  return queries[next++ % queries.length];
}

async function fill(env, { count, sizes }) {
  const most = Math.max(...sizes);
  if (rows.length === 0) {
    rows = new Float32Array(most * dimensions);
    // About the same topics and meanings, and none of them added: the source passes over them.
    queries = Array.from({ length: 500 }, () => asked.next());
    for (const _ of queries) source.next();
  }
  const added = Array.from({ length: count }, () => source.next()).map((vector, at) => ({ vector, id: filled + at }));
  for (const { vector, id } of added) rows.set(vector, id * dimensions);
  for (const size of sizes.filter((size) => filled + count <= size)) {
    if (!near.has(size)) {
      near.set(size, new NearestIndex(dimensions, newRows(dimensions)));
      plain.set(size, new NearestIndex(dimensions, new PlainRows(dimensions)));
    }
    for (const { vector, id } of added) for (const all of [near, plain]) all.get(size).add(id, codesOf(vector));
    const index = env.SEMANTIC_INDEX.getByName(String(size));
    const kept = await Promise.all(added.map((row) => index.add({ keys, entriesMax: size, entry: entryOf(row) })));
    if (!kept.every(Boolean)) throw new Error("an entry was not kept");
  }
  filled += count;
  return { filled };
}

function entryOf({ vector, id }) {
  const prompt = id % 2 === 0 ? `${question}, with number ${id}` : `${question}, by its name`;
  const name = String(id).padStart(32, "0");
  return { id: name, prompt, slot: `answer:${name}`, vector, expiresAtMs: Date.now() + 86_400_000 };
}

async function find(env, size, ask) {
  const answer = await env.SEMANTIC_INDEX.getByName(String(size)).find({ keys, vector: query(), ...ask });
  if (answer.ready && answer.candidates.length !== ask.k) throw new Error("candidates are missing");
  return answer.ready ? answer.candidates[0].similarity : new Response("not ready", { status: 503 });
}

function recall({ size, count }) {
  let same = 0;
  const similarities = [];
  for (let number = 0; number < count; number++) {
    const vector = query();
    const nearest = nearestOf(rows.subarray(0, size * dimensions), dimensions, vector);
    similarities.push(nearest.similarity);
    if (near.get(size).search(vector, 1)[0].id === nearest.at) same++;
  }
  return { same, count, similarities };
}

const kinds = {
  fill,
  find: (env, { size }) => find(env, size, { k: 5 }),
  ask: (env, { size }) => find(env, size, { k: 2, prompt: `${question}, by name`, similarityMin: 0.3 }),
  hop: (env, { size }) => env.SEMANTIC_INDEX.getByName(String(size)).remove("nothing"),
  search: (_env, { size }) => near.get(size).search(query(), lookedAt)[0].similarity,
  plain: (_env, { size }) => plain.get(size).search(query(), lookedAt)[0].similarity,
  exact: (_env, { size }) => nearestOf(rows.subarray(0, size * dimensions), dimensions, query()).similarity,
  recall: (_env, asks) => recall(asks),
  size: (env, { size }) => env.SEMANTIC_INDEX.getByName(String(size)).size(),
  evict: (env, { size }) =>
    env.SEMANTIC_INDEX.getByName(String(size))
      .evict()
      .catch(() => "evicted"),
};

export default {
  async fetch(request, env) {
    const asks = await request.json();
    const answer = await kinds[asks.kind](env, asks);
    return answer instanceof Response ? answer : Response.json(answer);
  },
};
