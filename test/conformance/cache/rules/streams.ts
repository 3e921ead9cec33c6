import type { Answer } from "../../suite/answer.ts";
import { seen } from "../../suite/answer.ts";
import { demand, NotOffered } from "../../suite/judge.ts";
import type { AnswerTurn, ToolCall } from "../../suite/mock-answer.ts";
import { gate } from "../../suite/waiting.ts";
import type { Rule } from "../rule.ts";
import type { Ask, Trial } from "../trial.ts";

const pieces = ["Four", " small", " pieces", " here."];
const text = pieces.join("");
const streamDead = "streams that are not cached, or not as they were";
const cost = "a stream that costs something else";

/** Streams are recorded as they pass, and every form of an answer says the same. */
export const streamRules: readonly Rule[] = [
  {
    id: "stream-replayed",
    says: "An equal stream is replayed from the cache, whole and with the reason it ended.",
    pain: streamDead,
    feature: "streams",
    async check(trial) {
      const one = trial.case(() => ({ kind: "answer", pieces }));
      const kept = await trial.keep(one, { stream: true });
      demand(kept.text === text && kept.finish === "stop", `${seen(kept)}, ended by ${kept.finish}`);
    },
  },
  {
    id: "stream-pieces",
    says: "A replayed stream comes in the pieces that it came in.",
    pain: streamDead,
    feature: "pieces",
    async check(trial) {
      const one = trial.case(() => ({ kind: "answer", pieces }));
      const kept = await trial.keep(one, { stream: true });
      demand(JSON.stringify(kept.pieces) === JSON.stringify(pieces), `it came as ${JSON.stringify(kept.pieces)}`);
    },
  },
  {
    id: "stream-live",
    says: "A stream that is recorded is passed on as it comes, not when it is over.",
    pain: streamDead,
    feature: "streams",
    check: passedOn,
  },
  {
    id: "stream-odd-wire",
    says: "A stream cut at any byte, with comments and CRLF, is passed on and kept whole.",
    pain: streamDead,
    feature: "streams",
    async check(trial) {
      const odd = ["Zwölf", " 漢字", " 👩‍👩‍👧", "."];
      const one = trial.case(() => ({ kind: "answer", pieces: odd, wire: "odd" }));
      const live = await trial.succeed(one, { stream: true });
      demand(live.text === odd.join(""), `the live stream is ${seen(live)}`);
      const kept = await trial.keep(one, { stream: true });
      demand(kept.text === odd.join(""), `the kept stream is ${seen(kept)}`);
    },
  },
  {
    id: "stream-to-whole",
    says: "A caller without `stream` gets a kept stream joined.",
    pain: streamDead,
    feature: "forms",
    check: (trial) => otherForm(trial, true),
  },
  {
    id: "whole-to-stream",
    says: "A caller with `stream` gets a kept whole answer as a stream.",
    pain: streamDead,
    feature: "forms",
    check: (trial) => otherForm(trial, false),
  },
  {
    id: "usage",
    says: "A stream and a whole answer, fresh and kept, say the same usage, and a stream says it only when asked.",
    pain: cost,
    feature: "usage",
    check: sameUsage,
  },
  {
    id: "usage-joined",
    says: "A stream recorded from a caller who did not ask for usage still says what it cost to one who does.",
    pain: cost,
    feature: "usage",
    async check(trial) {
      const one = trial.case(() => ({ kind: "answer", pieces }));
      await trial.keep(one, { stream: true });
      for (const ask of [{}, { stream: true, body: { stream_options: { include_usage: true } } }]) {
        const { usage } = await trial.succeed(one, ask);
        const tokens = usage?.completion_tokens;
        demand(tokens === pieces.length + 1, `${"stream" in ask ? "a stream" : "a call"} says ${tokens} tokens`);
      }
    },
  },
  ...[false, true].map(
    (stream): Rule => ({
      id: stream ? "tools-stream" : "tools",
      says: `Tool calls come back from the cache as they were, ${stream ? "streamed" : "whole"}.`,
      pain: "tool calls lost in the cache",
      feature: "tools",
      safety: true,
      check: (trial) => toolsSurvive(trial, stream),
    }),
  ),
  {
    id: "choices",
    says: "An answer of two choices is given again with both, or not at all.",
    pain: "choices lost in the cache",
    feature: "exact",
    safety: true,
    async check(trial) {
      for (const stream of [false, true]) {
        const one = trial.case(() => ({ kind: "answer", pieces, second: "Another." }));
        for (let call = 0; call < 3; call++) {
          const { choices } = await trial.succeed(one, { stream, body: { n: 2 } });
          demand(choices === 2, `call ${call + 1} ${stream ? "streamed " : ""}got ${choices} of 2 choices`);
        }
      }
    },
  },
];

/** The origin goes on only when the caller has seen the first piece: a stream that is held back never ends. */
async function passedOn(trial: Trial): Promise<void> {
  const rest = gate();
  const one = trial.case(() => ({ kind: "answer", pieces, holdAfterFirst: rest.opened }));
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), trial.patience.otherMs);
  let got = "";
  try {
    const response = await trial.open(one, { stream: true, signal: giveUp.signal });
    const decoder = new TextDecoder();
    for await (const bytes of response.body ?? []) {
      got += decoder.decode(bytes, { stream: true });
      if (got.includes(pieces[0] ?? "")) rest.open();
    }
  } catch {
    demand(false, `the first piece did not come while the origin had more to say: '${got.slice(0, 80)}'`);
  } finally {
    clearTimeout(timer);
    rest.open();
  }
  demand(got.includes("[DONE]"), "the stream did not end with [DONE]");
}

async function otherForm(trial: Trial, streamFirst: boolean): Promise<void> {
  const one = trial.case(() => ({ kind: "answer", pieces }));
  await trial.keep(one, { stream: streamFirst });
  const before = one.calls().length;
  const other = await trial.succeed(one, { stream: !streamFirst });
  demand(one.calls().length === before, "the other form asks the origin again");
  demand(other.text === text && other.finish === "stop", `the other form is ${seen(other)}, ended by ${other.finish}`);
  const stream = other.headers.get("Content-Type")?.includes("text/event-stream") === true;
  demand(stream !== streamFirst, `the content type is ${other.headers.get("Content-Type")}`);
}

async function sameUsage(trial: Trial): Promise<void> {
  const turn: AnswerTurn = { kind: "answer", pieces };
  const streamed: Ask = { stream: true, body: { stream_options: { include_usage: true } } };
  const said: string[] = [];
  for (const first of [{}, streamed]) {
    const one = trial.case(() => turn);
    for (const ask of [first, first, streamed, {}]) said.push(usageText(await trial.succeed(one, ask)));
  }
  const [expected] = said;
  demand(new Set(said).size === 1 && expected !== "none", `usage differs: ${said.join(", ")}`);
  const { usage } = await trial.succeed(
    trial.case(() => turn),
    { stream: true },
  );
  demand(usage === undefined, "a stream that did not ask for usage got it");
}

function usageText({ usage }: Answer): string {
  return usage === undefined ? "none" : `${usage.prompt_tokens}+${usage.completion_tokens}`;
}

const toolCalls: readonly ToolCall[] = [
  { id: "call_1", name: "look_up", arguments: '{"city":"Zürich","days":3}' },
  { id: "call_2", name: "remind", arguments: '{"at":"08:00"}' },
];

async function toolsSurvive(trial: Trial, stream: boolean): Promise<void> {
  const one = trial.case(() => ({ kind: "answer", pieces: [], toolCalls }));
  const wanted = JSON.stringify(toolCalls);
  const forms = stream ? [true, true, true, false] : [false, false, false, true];
  for (const [call, form] of forms.entries()) {
    const { tools, finish } = await trial.succeed(one, { stream: form });
    const got = JSON.stringify(tools.map(({ id, name, arguments: text }) => ({ id, name, arguments: text })));
    demand(got === wanted, `call ${call + 1}${form ? ", streamed," : ""} got ${got}`);
    demand(finish === "tool_calls", `call ${call + 1} ended by ${finish}`);
  }
  if (one.calls().length === forms.length) throw new NotOffered("an answer of tool calls is not kept");
}
