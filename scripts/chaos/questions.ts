import type { Random } from "../simulate/random.ts";
import { type Judged, judgeChat, judgeStream, judgeTensors } from "./judge.ts";

export type Kind = "chat" | "stream" | "tensors";

/** A call whose right answer is known. */
export interface Question {
  readonly kind: Kind;
  readonly path: string;
  readonly body: string;
  /** Of an answer with status 200. */
  judge(body: string): Judged;
}

/** Long enough that faults fall into the middle of answers. */
const answerTokensMax = 24;
const asks = ["Who art thou", "What news of the king", "Shall we go", "Why dost thou weep", "Where is the duke"];
const tails = ["good sir", "my lord", "this night", "of Padua", "in Rome", "fair maid", "old friend", "by the sea"];
const prompts = asks.flatMap((ask) => tails.map((tail) => `${ask}, ${tail}?`));

/** A chat that every run answers alike. */
export function chatBody(content = "Speak.", stream = false): string {
  const messages = [{ role: "user", content }];
  return JSON.stringify({ model: "tiny-chat", messages, temperature: 0, max_tokens: answerTokensMax, stream });
}

/**
 * Chats whose right answer is what `answerOf` gives: an origin that is asked directly, in calm, at temperature 0. Each is asked for
 * whole and as a stream.
 */
export async function chatQuestions(answerOf: (body: string) => Promise<string>): Promise<readonly Question[]> {
  const questions: Question[] = [];
  for (const content of prompts) {
    const body = chatBody(content);
    const expected = await answerOf(body);
    const path = "/v1/chat/completions";
    questions.push(
      { kind: "chat", path, body, judge: (text) => judgeChat(text, expected) },
      {
        kind: "stream",
        path,
        body: chatBody(content, true),
        judge: (text) => judgeStream(text, expected),
      },
    );
  }
  return questions;
}

/** The model of the real engine: it adds and subtracts. */
export const pairManifest = {
  name: "pair",
  version: "1",
  task: "tensor",
  description: "",
  licence: "",
  served: { revision: "chaos" },
  tiers: ["origin"],
  limits: {},
  inputs: ["a", "b"].map((name) => ({ name, datatype: "FP32", shape: [-1, 4] })),
  outputs: ["sum", "difference"].map((name) => ({ name, datatype: "FP32", shape: [-1, 4] })),
};

/** Numbers that FP32 holds exactly, so that there is one right answer. */
export function tensorQuestion(random: Random): Question {
  const row = () => Array.from({ length: 4 }, () => Math.floor(random() * 1_000));
  const [a, b] = [row(), row()];
  const input = (name: string, data: readonly number[]) => ({ name, datatype: "FP32", shape: [1, 4], data });
  const expected = {
    sum: a.map((value, at) => value + (b[at] ?? 0)),
    difference: a.map((value, at) => value - (b[at] ?? 0)),
  };
  return {
    kind: "tensors",
    path: "/v2/models/pair/infer",
    body: JSON.stringify({ inputs: [input("a", a), input("b", b)] }),
    judge: (text) => judgeTensors(text, expected),
  };
}
