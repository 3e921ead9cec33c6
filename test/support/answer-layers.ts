import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Address, AnswerLayer, Entry } from "../../workers/gateway/src/cache/ports.ts";
import { Vault } from "../../workers/gateway/src/cache/vault.ts";
import { MemoryKeyrings } from "./cache-isolate.ts";

/** A place where answers are kept. `corrupt` puts foreign bytes under a slot; what has no bytes, as memory, leaves it out. */
export interface LayerPlace {
  readonly layer: AnswerLayer;
  readonly corrupt?: (slot: string, change: (sealed: Uint8Array) => Uint8Array) => Promise<void>;
}

/** What every layer of the answer cache guarantees. `place` is asked for once, when the first test runs. */
export function answerLayerSuite(name: string, place: () => Promise<LayerPlace> | LayerPlace): void {
  let made: Promise<LayerPlace> | undefined;
  const here = () => {
    made ??= Promise.resolve(place());
    return made;
  };

  describe(`${name}, as a layer of the answer cache,`, () => {
    test("gives back what was put, as it was, and nothing of what was not", async () => {
      const { layer } = await here();
      const [one, other, none] = [await address("one"), await address("other"), await address("none")];
      const [a, b] = [entryOf({ answer: "α – ☃", numbers: [1, 0.1, null] }), entryOf("b")];
      await layer.put(one, a, 60);
      await layer.put(other, b, 60);
      expect(await layer.get(one)).toMatchObject({ ...a, chars: expect.any(Number) });
      expect(await layer.get(other)).toMatchObject({ value: "b", tags: ["t"], etag: a.etag });
      expect(await layer.get(none)).toBeUndefined();
    });

    test("keeps a large answer whole", async () => {
      const { layer } = await here();
      const at = await address("large");
      const large = entryOf("é".repeat(100_000));
      await layer.put(at, large, 60);
      expect(await layer.get(at)).toMatchObject({ value: large.value });
    });

    test("gives the latest that was put in a place", async () => {
      const { layer } = await here();
      const at = await address("again");
      for (const value of ["first", "second", "third"]) await layer.put(at, entryOf(value, -1), 60);
      expect(await layer.get(at)).toMatchObject({ value: "third" });
    });

    test("tells what it was not given from what it was: a flipped bit, a swapped answer, anything else", async () => {
      const { layer, corrupt } = await here();
      if (corrupt === undefined) return;
      const [at, other] = [await address("target"), await address("source")];
      for (const one of [at, other]) await layer.put(one, entryOf("kept", -1), 60);
      let source = new Uint8Array();
      await corrupt(other.slot.key, (sealed) => {
        source = sealed.slice();
        return sealed;
      });
      const changes: ((sealed: Uint8Array) => Uint8Array)[] = [
        (sealed) => sealed.map((byte, i) => (i === sealed.length - 1 ? byte ^ 1 : byte)),
        () => source,
        () => new Uint8Array(randomBytes(200)),
        () => new TextEncoder().encode('"kept"'),
      ];
      for (const change of changes) {
        await layer.put(at, entryOf("kept", -1), 60);
        await corrupt(at.slot.key, change);
        expect(await layer.get(at)).toBe("unsealed");
      }
    });
  });
}

const vault = new Vault({
  secret: "a-secret-of-at-least-32-characters",
  keyrings: new MemoryKeyrings(),
  nowMs: () => Date.now(),
});

/** Where the answer to a question lies; another place each run, as stores outlast a test. */
const run = randomBytes(8).toString("hex");

async function address(question: string): Promise<Address> {
  const keys = await vault.keysOf("acme", 0);
  if (keys === undefined) throw new Error("no keys");
  const text = `${run} ${question}`;
  return { text, slot: keys.slot(await keys.name(text), 0) };
}

function entryOf(value: unknown, freshS = 60): Entry {
  const createdAtMs = Date.now();
  return {
    id: randomBytes(16).toString("hex"),
    value,
    chars: JSON.stringify(value).length,
    etag: 'W/"0123456789abcdefghijkl"',
    number: 3,
    createdAtMs,
    freshUntilMs: createdAtMs + freshS * 1000,
    tags: ["t"],
  };
}
