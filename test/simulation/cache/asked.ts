import type { CacheWish } from "@ledge/policy";
import type { Isolate } from "./isolate.ts";

/** What is asked, the operator's part of it included: whatever of this differs must have another answer. */
export interface Question {
  readonly tenant: string;
  readonly task: "chat" | "labels";
  readonly model: string;
  readonly version: string;
  readonly digest: string;
  readonly input: string;
  /** 0 unless it is sampled. */
  readonly temperature: number;
  /** The values of what the policy's `vary` names, and the caller's own partition. */
  readonly language: string;
  readonly partition: string;
}

/** One call of the simulation, and what its caller may expect. */
export interface Asked {
  readonly id: string;
  readonly isolate: Isolate;
  readonly question: Question;
  /** The question in one text. */
  readonly about: string;
  readonly form: "whole" | "stream" | "labels";
  readonly wish: CacheWish;
  /** As the wish was spelled, in small letters. */
  readonly headers: ReadonlyMap<string, string>;
  readonly sampled: boolean;
  readonly startedMs: number;
  readonly deadlineMs: number;
  /** The number of the rules that its isolate had heard of when it began. */
  readonly heard: number;
  readonly caller: AbortController;
}

export function aboutOf(question: Question): string {
  const { tenant, task, model, version, digest, input, temperature, language, partition } = question;
  return JSON.stringify([tenant, task, model, version, digest, input, temperature, language, partition]);
}

/** Whether this call may be answered by what was made for equal ones. */
export function mayShare({ wish, sampled }: Asked): boolean {
  return wish.lookup && wish.store && !(sampled && wish.ttlS === undefined);
}
