import { seen } from "../../suite/answer.ts";
import { demand } from "../../suite/judge.ts";
import type { Rule } from "../rule.ts";
import type { Trial } from "../trial.ts";

const dead = "caches that never hit";
const mixed = "two questions that share an entry";

/** What makes two calls equal, and what does not. */
export const keyRules: readonly Rule[] = [
  {
    id: "equal-hits",
    says: "A call that equals an earlier one is answered without asking the origin, with the same answer.",
    pain: dead,
    feature: "exact",
    async check(trial) {
      const one = trial.case();
      const kept = await trial.keep(one);
      demand(kept.text === `Answer 1 to ${one.id}.`, `the answer kept is ${seen(kept)}`);
    },
  },
  {
    id: "spelling",
    says: "Key order, white space, number spelling, escapes and header case do not make a call another one.",
    pain: dead,
    feature: "canonical",
    check: equalSpellings,
  },
  {
    id: "billing",
    says: "Who is billed does not make a call another one: `user` and `metadata`.",
    pain: dead,
    feature: "canonical",
    async check(trial) {
      const one = trial.case();
      await trial.keep(one);
      for (const body of [{ user: "bob" }, { user: "eve" }, { metadata: { team: "red" } }]) {
        demand(await trial.hits(one, { body }), `${JSON.stringify(body)} asks the origin again`);
      }
    },
  },
  {
    id: "parameters",
    says: "Every parameter that can change an answer makes the call another one, a parameter nobody knows as well.",
    pain: mixed,
    feature: "exact",
    safety: true,
    check: (trial) => allDiffer(trial, parameters),
  },
  {
    id: "messages",
    says: "Every change to what is said, by whom and in which order makes the call another one.",
    pain: mixed,
    feature: "exact",
    safety: true,
    check: (trial) => allDiffer(trial, conversations),
  },
  {
    id: "other-model",
    says: "A call to another model is never answered with this model's answer.",
    pain: mixed,
    feature: "exact",
    safety: true,
    async check(trial) {
      const one = trial.case();
      await trial.keep(one);
      const { otherModel: model } = trial.target;
      demand(!(await trial.hits(one, { model })), "the other model's answer came from this model's entry");
    },
  },
  {
    id: "unicode",
    says: "Any text of Unicode comes back from the cache as it was, and look-alikes are not the same prompt.",
    pain: mixed,
    feature: "exact",
    safety: true,
    check: unicodeSurvives,
  },
];

async function equalSpellings(trial: Trial): Promise<void> {
  const one = trial.case();
  const body = { top_p: 1, max_tokens: 20 };
  await trial.keep(one, { body });
  const { model } = trial.target;
  const [name, prompt] = [JSON.stringify(model), JSON.stringify(one.prompt)];
  const message = `[{"content":${prompt},"role":"user"}]`;
  const spellings = {
    "another order of keys": `{"max_tokens":20,"top_p":1,"temperature":0,"messages":${message},"model":${name}}`,
    "white space": ` {\n "model" : ${name}, "messages":\t${message}, "temperature":0,"top_p":1,"max_tokens":20 }\n`,
    "1.0 for 1 and 2e1 for 20": `{"model":${name},"messages":${message},"temperature":0.0,"top_p":1.0,"max_tokens":2e1}`,
    "an escape for a letter": `{"model":${name},"messages":${message.replace("What", "\\u0057hat")},"temperature":0,"top_p":1,"max_tokens":20}`,
  };
  for (const [what, written] of Object.entries(spellings)) {
    demand(await trial.hits(one, { written }), `${what} asks the origin again`);
  }
  const headers = { "X-UNRELATED": "1", "ACCEPT-LANGUAGE": "de" };
  demand(await trial.hits(one, { body, headers }), "headers that change nothing ask the origin again");
}

const tool = (name: string) => ({
  type: "function",
  function: { name, description: "d", parameters: { type: "object", properties: {} } },
});
const tools = [tool("look_up")];

/** Each changes what an engine may say; none is how the answer is delivered or who is billed. */
const parameters: Readonly<Record<string, (prompt: string) => Readonly<Record<string, unknown>>>> = {
  temperature: () => ({ temperature: 0.5, seed: 1 }),
  top_p: () => ({ top_p: 0.5 }),
  max_tokens: () => ({ max_tokens: 5 }),
  max_completion_tokens: () => ({ max_completion_tokens: 6 }),
  stop: () => ({ stop: "x" }),
  "stop, as a list": () => ({ stop: ["x", "y"] }),
  seed: () => ({ seed: 7 }),
  "another seed": () => ({ seed: 8 }),
  n: () => ({ n: 2 }),
  presence_penalty: () => ({ presence_penalty: 1 }),
  frequency_penalty: () => ({ frequency_penalty: 1 }),
  logit_bias: () => ({ logit_bias: { "50256": -100 } }),
  logprobs: () => ({ logprobs: true }),
  top_logprobs: () => ({ logprobs: true, top_logprobs: 3 }),
  response_format: () => ({ response_format: { type: "json_object" } }),
  "response_format, a schema": () => ({
    response_format: { type: "json_schema", json_schema: { name: "s", schema: { type: "object" } } },
  }),
  tools: () => ({ tools }),
  "tools, another": () => ({ tools: [tool("delete")] }),
  tool_choice: () => ({ tools, tool_choice: "required" }),
  "tool_choice, by name": () => ({ tools, tool_choice: { type: "function", function: { name: "look_up" } } }),
  parallel_tool_calls: () => ({ tools, parallel_tool_calls: false }),
  reasoning_effort: () => ({ reasoning_effort: "low" }),
  verbosity: () => ({ verbosity: "low" }),
  modalities: () => ({ modalities: ["text"] }),
  prediction: () => ({ prediction: { type: "content", content: "x" } }),
  service_tier: () => ({ service_tier: "flex" }),
  web_search_options: () => ({ web_search_options: {} }),
  "an engine's own parameter": () => ({ repetition_penalty: 1.3 }),
  "a parameter nobody knows": () => ({ flux_capacity: 3 }),
};

const user = (content: unknown) => ({ role: "user", content });

const conversations: typeof parameters = {
  "a system prompt": (prompt) => ({ messages: [{ role: "system", content: "Be brief." }, user(prompt)] }),
  "another system prompt": (prompt) => ({ messages: [{ role: "system", content: "Be long." }, user(prompt)] }),
  "a developer's prompt": (prompt) => ({ messages: [{ role: "developer", content: "Be brief." }, user(prompt)] }),
  "another role": (prompt) => ({ messages: [{ role: "system", content: prompt }] }),
  "a name": (prompt) => ({ messages: [{ ...user(prompt), name: "bob" }] }),
  "another name": (prompt) => ({ messages: [{ ...user(prompt), name: "eve" }] }),
  "one more space": (prompt) => ({ messages: [user(`${prompt} `)] }),
  "other case": (prompt) => ({ messages: [user(prompt.replace("What", "what"))] }),
  "an earlier turn": (prompt) => ({ messages: [user("Hello."), { role: "assistant", content: "Hi." }, user(prompt)] }),
  "another earlier turn": (prompt) => ({
    messages: [user("Hello."), { role: "assistant", content: "Yes?" }, user(prompt)],
  }),
  "the turns in another order": (prompt) => ({
    messages: [{ role: "assistant", content: "Hi." }, user("Hello."), user(prompt)],
  }),
  "two messages for one": (prompt) => ({ messages: [user(prompt.slice(0, 10)), user(prompt.slice(10))] }),
  "a border moved between two": (prompt) => ({ messages: [user(prompt.slice(0, 9)), user(prompt.slice(9))] }),
  "a tool's answer": (prompt) => ({
    messages: [user(prompt), calling("look_up"), { role: "tool", tool_call_id: "c1", content: "42" }],
  }),
  "another tool's answer": (prompt) => ({
    messages: [user(prompt), calling("look_up"), { role: "tool", tool_call_id: "c1", content: "43" }],
  }),
  "another tool called": (prompt) => ({
    messages: [user(prompt), calling("delete"), { role: "tool", tool_call_id: "c1", content: "42" }],
  }),
};

function calling(name: string): object {
  const call = { id: "c1", type: "function", function: { name, arguments: "{}" } };
  return { role: "assistant", content: "", tool_calls: [call] };
}

/** Each variant differs from the plain call and from every other: a hit is an answer to another question. */
async function allDiffer(trial: Trial, variants: typeof parameters): Promise<void> {
  const one = trial.case();
  await trial.keep(one);
  const found: Record<"wrong" | "refused" | "dropped", string[]> = { wrong: [], refused: [], dropped: [] };
  for (const [what, variant] of Object.entries(variants)) {
    const before = one.calls().length;
    const body = variant(one.prompt);
    const answer = await trial.ask(one, { body });
    if (answer.status >= 400) found.refused.push(what);
    else if (one.calls().length === before) found[(await reaches(trial, variant)) ? "wrong" : "dropped"].push(what);
  }
  const { wrong, refused, dropped } = found;
  demand(wrong.length === 0, `answered from another call's entry: ${wrong.join(", ")}`);
  const notes = [
    ...(refused.length === 0 ? [] : [`refused: ${refused.join(", ")}`]),
    ...(dropped.length === 0 ? [] : [`not passed on to the origin: ${dropped.join(", ")}`]),
  ];
  if (notes.length > 0) trial.note(notes.join("; "));
}

/** Whether the origin is told at all; what a gateway drops changes no answer. */
async function reaches(trial: Trial, variant: (prompt: string) => Readonly<Record<string, unknown>>): Promise<boolean> {
  const [plain, other] = [trial.case(), trial.case()];
  await trial.ask(plain);
  await trial.ask(other, { body: variant(other.prompt) });
  if (other.calls().length === 0) return true;
  const told = (one: typeof plain) => JSON.stringify(one.calls()[0]?.body).replaceAll(one.id, "");
  return told(plain) !== told(other);
}

async function unicodeSurvives(trial: Trial): Promise<void> {
  const text = '𝕰moji 👩‍👩‍👧‍👦 עברית العربية 漢字 ẞ é é \u0000 \u2028 ﷽ "quoted" \\ back 🇩🇪';
  const one = trial.case(() => ({ kind: "answer", pieces: [...text] }));
  const kept = await trial.keep(one);
  demand(kept.text === text, `'${kept.text}' came back for '${text}'`);
  const looks = trial.case();
  const say = (word: string) => ({ messages: [{ role: "user", content: `${word} ${looks.id}` }] });
  await trial.keep(looks, say("caf\u00e9"));
  for (const alike of ["cafe\u0301", "caf\u0435\u0301", "café\u200b", "CAFÉ"]) {
    demand(!(await trial.hits(looks, say(alike))), `'${alike}' was answered as 'café'`);
  }
  await streamsBack(trial, text);
}

/** Every character in a piece of its own, from the record of a stream where the target keeps streams. */
async function streamsBack(trial: Trial, text: string): Promise<void> {
  const one = trial.case(() => ({ kind: "answer", pieces: [...text] }));
  for (let call = 0; call < 2; call++) {
    const streamed = await trial.succeed(one, { stream: true });
    demand(streamed.text === text, `'${streamed.text}' was streamed for '${text}'`);
  }
}
