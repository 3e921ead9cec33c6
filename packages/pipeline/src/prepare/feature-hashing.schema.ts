import * as z from "zod/mini";

/** `preprocess` of kind `feature-hashing` in `model.json`. What each member means is told in the model's recipe. */

const byte = z.int().check(z.gte(0), z.lte(255));
const uint32 = z.int().check(z.gte(0), z.lte(0xffffffff));
const count = z.int().check(z.positive(), z.lte(0x7fffffff));

const bucketed = { seed: uint32, offset: z.int().check(z.gte(0), z.lte(0x3fffffff)), buckets: count };

const singles = z.strictObject({ kind: z.literal("words"), n: z.literal(1), ...bucketed });
const pairs = z.strictObject({
  kind: z.literal("words"),
  n: z.literal(2),
  ...bucketed,
  start: byte,
  end: byte,
  join: byte,
});
const grams = z
  .strictObject({
    kind: z.literal("chars"),
    min: z.int().check(z.gte(1), z.lte(16)),
    max: z.int().check(z.gte(1), z.lte(16)),
    ...bucketed,
    start: byte,
    end: byte,
  })
  .check(z.refine((family) => family.min <= family.max, { error: "min must not exceed max", path: ["min"] }));

const family = z.union([singles, pairs, grams]);
export type Family = z.infer<typeof family>;
export type PairFamily = z.infer<typeof pairs>;
export type GramFamily = z.infer<typeof grams>;

/** Strict: an unknown member may change the features, and wrong features give confident nonsense. */
export const featureHashing = z.strictObject({
  kind: z.literal("feature-hashing"),
  encoding: z.literal("utf-8"),
  lowercase: z.enum(["ascii", "none"]),
  /** Inclusive ranges of bytes that make up words; every other byte parts them. */
  wordBytes: z.array(z.tuple([byte, byte])).check(z.minLength(1)),
  hash: z.strictObject({ kind: z.literal("fnv1a-32"), basis: uint32, prime: uint32 }),
  families: z.array(family).check(z.minLength(1), z.maxLength(16)),
  duplicates: z.literal("keep"),
  padId: z.int().check(z.gte(0), z.lte(0x7fffffff)),
  /** Features kept per text; the rest is dropped. */
  maxIds: z.int().check(z.gte(1), z.lte(65536)),
});
export type FeatureHashing = z.infer<typeof featureHashing>;
