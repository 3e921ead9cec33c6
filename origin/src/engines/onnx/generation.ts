import * as transformers from "@huggingface/transformers";
import type { Reading } from "@ledge/pipeline";
import type { ChatParameters } from "../chat-parameters.ts";
import type { ChatEvent, Say } from "../engine.ts";
import { StopMatcher } from "../stop-matcher.ts";
import { Detokenizer } from "./detokenizer.ts";
import { drawToken, type Random, seededRandom } from "./sampler.ts";

export interface GeneratorParts {
  readonly tokenizer: transformers.PreTrainedTokenizer;
  readonly model: transformers.PreTrainedModel;
}

/** One generation, as events. It stops within one token of the signal, and resolves when its last step has returned. */
export async function generation(
  parts: GeneratorParts,
  parameters: ChatParameters,
  { prompt, said }: Reading,
  tokensMax: number,
  { signal, say }: Listening,
): Promise<void> {
  const read = [...prompt, ...said];
  const follower = new TokenFollower(parts, parameters, said, (text) => {
    if (!signal.aborted) say({ kind: "text", text });
  });
  if (tokensMax > 0) {
    const stopped = () => signal.aborted || follower.stopped;
    await generate(parts, new DrawnToken(parameters, said.length), read, tokensMax, { follower, stopped });
  }
  if (signal.aborted) return;
  say(follower.end(read.length));
}

/** Who listens, until when. */
interface Listening {
  readonly signal: AbortSignal;
  readonly say: Say;
}

interface Course {
  readonly follower: TokenFollower;
  readonly stopped: () => boolean;
}

async function generate(
  { model }: GeneratorParts,
  token: DrawnToken,
  prompt: readonly number[],
  tokensMax: number,
  { follower, stopped }: Course,
): Promise<void> {
  if (stopped()) return;
  const shape = [1, prompt.length];
  const processors = new transformers.LogitsProcessorList();
  processors.push(token);
  await model.generate({
    input_ids: new transformers.Tensor("int64", BigInt64Array.from(prompt, BigInt), shape),
    attention_mask: new transformers.Tensor("int64", new BigInt64Array(prompt.length).fill(1n), shape),
    // The library only takes the likeliest token: which one that is, DrawnToken decides.
    do_sample: false,
    num_beams: 1,
    max_new_tokens: tokensMax,
    logits_processor: processors,
    stopping_criteria: [new FollowTokens(follower, stopped)],
  });
}

/** Turns tokens into emitted text, and knows when and why the text ends. */
class TokenFollower {
  readonly #ends: ReadonlySet<number>;
  readonly #detokenizer: Detokenizer;
  readonly #stops: StopMatcher;
  readonly #emit: (text: string) => void;
  #count = 0;
  #ended = false;

  constructor(
    { tokenizer, model }: GeneratorParts,
    parameters: ChatParameters,
    said: readonly number[],
    emit: (text: string) => void,
  ) {
    const { eos_token_id } = model.generation_config ?? {};
    this.#ends = new Set([eos_token_id ?? tokenizer.eos_token_id ?? []].flat());
    const options = { skip_special_tokens: true, clean_up_tokenization_spaces: false };
    const decode = (ids: readonly bigint[]) => (ids.length === 0 ? "" : tokenizer.decode([...ids], options));
    this.#detokenizer = new Detokenizer(decode, said.map(BigInt));
    this.#stops = new StopMatcher(parameters.stops);
    this.#emit = emit;
  }

  get stopped(): boolean {
    return this.#ended || this.#stops.matched;
  }

  take(id: bigint): void {
    this.#count++;
    if (this.#ends.has(Number(id))) this.#ended = true;
    else this.#say(this.#stops.push(this.#detokenizer.push(id)));
  }

  end(promptTokens: number): ChatEvent {
    this.#say(this.#stops.push(this.#detokenizer.flush()));
    this.#say(this.#stops.flush());
    return {
      kind: "end",
      finishReason: this.stopped ? "stop" : "length",
      promptTokens,
      completionTokens: this.#count,
    };
  }

  #say(text: string): void {
    if (text !== "") this.#emit(text);
  }
}

/**
 * Draws the next token here and leaves the library only that one. Its own sampler takes no seed and cuts to the 50
 * likeliest tokens; this one is seeded, cuts at `top_p` alone, and is the same for stream and whole answer.
 */
class DrawnToken extends transformers.LogitsProcessor {
  readonly draw: (logits: Float32Array) => number;

  /** `drawn`: how many tokens of the answer were drawn before, by the same seed. */
  constructor({ temperature, topP, seed }: ChatParameters, drawn: number) {
    super();
    const random: Random = seed === undefined ? Math.random : seededRandom(seed);
    for (let token = 0; token < drawn && seed !== undefined; token++) random();
    this.draw = (logits) => drawToken(logits, temperature, topP, random);
  }

  override _call(_ids: bigint[][], logits: transformers.Tensor): transformers.Tensor {
    const data = logits.data as Float32Array;
    const id = this.draw(data);
    data.fill(Number.NEGATIVE_INFINITY);
    data[id] = 0;
    return logits;
  }
}

/** The library asks after every token whether to stop: that is where the token is taken, and where it is told. */
class FollowTokens extends transformers.StoppingCriteria {
  readonly follower: TokenFollower;
  readonly stopped: () => boolean;

  constructor(follower: TokenFollower, stopped: () => boolean) {
    super();
    this.follower = follower;
    this.stopped = stopped;
  }

  override _call(sequences: number[][]): boolean[] {
    const newest = sequences[0]?.at(-1);
    if (newest !== undefined) this.follower.take(BigInt(newest));
    return sequences.map(() => this.stopped());
  }
}
