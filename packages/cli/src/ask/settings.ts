import { limits, quotas } from "@ledge/contract";
import type { Command } from "commander";
import { collect } from "../command.ts";
import { Refusal } from "../refusal.ts";

/** Leaves a member to whoever else says something of it, or to nobody. */
const unset = "default";

/** The flags that set limits and quotas, each several times, as `name=number`. */
export interface NumberFlags {
  readonly limit?: readonly string[];
  readonly quota?: readonly string[];
}

const limitNames = Object.keys(limits.shape);
const quotaNames = Object.keys(quotas.shape);

export function withLimitOption(command: Command): Command {
  return command.option("--limit <name=n>", `a limit, or 'default': ${limitNames.join(", ")}`, collect);
}

export function withQuotaOption(command: Command): Command {
  return command.option("--quota <name=n>", `a quota, or 'default': ${quotaNames.join(", ")}`, collect);
}

/** A merge patch of limits and quotas; without what was not said. Throws {@link Refusal}. */
export function numbersOf({ limit, quota }: NumberFlags): { readonly limits?: object; readonly quotas?: object } {
  return {
    ...(limit === undefined ? {} : { limits: patchOf(limit, limitNames) }),
    ...(quota === undefined ? {} : { quotas: patchOf(quota, quotaNames) }),
  };
}

/** `name=number` and `name=default` as a merge patch, of names that are known. Throws {@link Refusal}. */
export function patchOf(pairs: readonly string[], names: readonly string[]): Readonly<Record<string, number | null>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name = "", value = ""] = pair.split("=", 2);
      const number = /^[0-9]+(?:\.[0-9]+)?$/.test(value) ? Number(value) : undefined;
      if (!names.includes(name) || (number === undefined && value !== unset)) {
        throw new Refusal(`'${pair}' sets nothing: write name=number or name=${unset}, of ${names.join(", ")}.`, 2);
      }
      return [name, number ?? null] as const;
    }),
  );
}

/** A value of a merge patch: `default` takes it away. */
export function settingOf(text: string | undefined): string | null | undefined {
  return text === unset ? null : text;
}

/** A number of a merge patch. What is no number stays a text, which the deployment refuses by name. */
export function numberOf(text: string | undefined): number | string | null | undefined {
  const value = settingOf(text);
  return typeof value === "string" && /^[0-9]+(?:\.[0-9]+)?$/.test(value) ? Number(value) : value;
}

/** Without the members that are undefined: what the flags said. */
export function said(members: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** A patch that says something. Throws {@link Refusal}. */
export function patched(members: Readonly<Record<string, unknown>>, command: string): object {
  const patch = said(members);
  if (Object.keys(patch).length > 0) return patch;
  throw new Refusal(`That changes nothing: '${command} --help' says what can be set.`, 2);
}

/** A part of a path. */
export const segment = encodeURIComponent;
