import { errors, isErrorCode } from "@ledge/contract";

/**
 * What a caller got, held against the one right answer.
 * `told`: a failure that says so, with a code under which the caller may try again. `silent`: the answer ended, or never came, and
 * nothing said that it failed. `duplicated`: the right answer with a part of it twice.
 */
export type Verdict = "right" | "told" | "wrong" | "duplicated" | "silent";

export interface Judged {
  readonly verdict: Verdict;
  /** Of what was told: the error's code, or the status where the surface has none. */
  readonly code?: string;
  /** For who reads the report: what was got in place of the right answer. */
  readonly got?: string;
}

const right: Judged = { verdict: "right" };
const gotCharsMax = 300;

/** A refusal by status. Valid calls were made, so only what may be tried again is an honest failure, and a bug is none. */
export function judgeRefusal(status: number, body: string): Judged {
  const code = codeIn(body);
  const retryable = isErrorCode(code)
    ? errors[code].retryable && code !== "internal_error"
    : [429, 502, 503, 504].includes(status);
  return retryable ? { verdict: "told", code: code ?? String(status) } : off("wrong", `${status} ${body}`);
}

/** A text against the right one. */
export function judgeText(text: string, expected: string): Judged {
  if (text === expected) return right;
  return off(repeats(text, expected) ? "duplicated" : "wrong", text);
}

/** The body of a whole chat. */
export function judgeChat(body: string, expected: string): Judged {
  const text = jsonIn(body)?.choices?.[0]?.message?.content;
  return typeof text === "string" ? judgeText(text, expected) : off("silent", body);
}

/** A chat's stream, from its first byte to its end, wherever that came. */
export function judgeStream(body: string, expected: string): Judged {
  const events = body.split("\n\n").flatMap((event) => (event.startsWith("data: ") ? [event.slice(6)] : []));
  const done = events.indexOf("[DONE]");
  const said = events.filter((event) => event !== "[DONE]").map(jsonIn);
  const text = said.map((event) => event?.choices?.[0]?.delta?.content ?? "").join("");
  const error = said.find((event) => event?.error !== undefined)?.error;
  if (error !== undefined) {
    if (done >= 0) return off("wrong", `an error and [DONE]: ${body}`);
    if (!expected.startsWith(text)) return off(repeats(text, expected) ? "duplicated" : "wrong", text);
    return judgeRefusal(200, JSON.stringify({ error }));
  }
  if (done < 0) return off("silent", body);
  if (done < events.length - 1) return off("duplicated", body);
  return judgeText(text, expected);
}

/** The body of an inference, against the values of each output. */
export function judgeTensors(body: string, expected: Readonly<Record<string, readonly number[]>>): Judged {
  const { outputs } = jsonIn(body) ?? {};
  if (!Array.isArray(outputs)) return off("silent", body);
  const got = Object.fromEntries(outputs.map(({ name, data }) => [name, data]));
  const names = Object.keys(expected);
  const equal = outputs.length === names.length && names.every((name) => String(got[name]) === String(expected[name]));
  return equal ? right : off("wrong", body);
}

/** Whether a text is the right one, or the begin of it, with a part said again. */
function repeats(text: string, expected: string): boolean {
  let begins = 0;
  while (begins < expected.length && text[begins] === expected[begins]) begins++;
  const rest = text.slice(begins);
  return begins > 0 && rest !== "" && expected.includes(rest);
}

function off(verdict: Verdict, got: string): Judged {
  return { verdict, got: got.slice(0, gotCharsMax) };
}

function codeIn(body: string): string | undefined {
  const said = jsonIn(body);
  const code = said?.code ?? said?.error?.code;
  return typeof code === "string" ? code : undefined;
}

interface Said {
  readonly choices?: readonly [
    { readonly message?: { readonly content?: unknown }; readonly delta?: { readonly content?: string } },
  ];
  readonly error?: { readonly code?: unknown };
  readonly code?: unknown;
  readonly outputs?: readonly { readonly name: string; readonly data: readonly number[] }[];
}

function jsonIn(text: string): Said | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
