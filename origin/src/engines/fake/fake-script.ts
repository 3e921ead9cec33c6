import * as z from "zod/mini";

const milliseconds = z._default(z.int().check(z.gte(0), z.lte(600_000)), 0);

/** How a fake model behaves: given as JSON in `FAKE_MODELS`, to rehearse slow, failing and endless engines. */
export const fakeScript = z.strictObject({
  name: z.string().check(z.regex(/^[a-z0-9][a-z0-9._-]{0,63}$/)),
  version: z._default(z.string().check(z.regex(/^[0-9]{1,9}$/)), "1"),
  /** The answer, a token at a time. */
  tokens: z._default(z.array(z.string()).check(z.minLength(1)), ["Hello", " from", " the", " fake", "."]),
  /** True: the tokens start again when they are used up, until a limit or a cancellation ends it. */
  endless: z._default(z.boolean(), false),
  /** Milliseconds before the first token. */
  firstMs: milliseconds,
  /** Milliseconds before each later token. */
  tokenMs: milliseconds,
  /** Dies after so many tokens. */
  failAfter: z.optional(z.int().check(z.gte(0))),
  /** It is asleep, and takes so many milliseconds to wake. */
  wakeMs: z.optional(z.int().check(z.gte(0), z.lte(600_000))),
  /** So many times it does not wake. */
  wakesInVain: z.optional(z.int().check(z.gte(0))),
  /** Tokens of prompt and answer together; the fake counts one token for each word of a prompt. */
  contextTokens: z._default(z.int().check(z.gte(2)), 4096),
});
export type FakeScript = z.infer<typeof fakeScript>;
