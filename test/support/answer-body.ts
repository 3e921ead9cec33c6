import type { BlocksAnswer, LabelPrediction } from "@ledge/contract";

/** Every member of an answer's body that tests read, whichever surface wrote it; which are there is what tests find out. */
export interface AnswerBody {
  readonly id: string;
  readonly key: string;
  readonly tier: string;
  readonly model: string;
  readonly code: string;
  readonly detail: string;
  readonly issues: readonly { readonly path: string; readonly message: string }[];
  readonly output: LabelPrediction & readonly LabelPrediction[];
  readonly usage: { readonly input_tokens: number; readonly completion_tokens: number };
  readonly error: { readonly code: string; readonly message: string };
  readonly choices: readonly { readonly message: { readonly content: string } }[];
  readonly outputs: readonly [OipTensor, OipTensor, OipTensor];
  readonly blocks: BlocksAnswer["blocks"];
  readonly openapi: string;
  readonly paths: Readonly<Record<string, unknown>>;
}

interface OipTensor {
  readonly name: string;
  readonly data: readonly unknown[];
}

/** A body as JSON. Throws when it is none. */
export async function bodyOf(response: Response): Promise<AnswerBody> {
  return (await response.json()) as AnswerBody;
}
