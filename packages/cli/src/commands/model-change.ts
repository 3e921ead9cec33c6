import { type VersionPolicy, versionPolicy } from "@ledge/contract";
import type { Command } from "commander";
import { confirm } from "../ask/answer-of.ts";
import { modelNameOf, modelPath, modelVersionOf, versionPath } from "../ask/model-version.ts";
import { type ChangeFlags, withChangeOptions } from "../ask/target-options.ts";
import { type Context, newCommand } from "../command.ts";
import { Refusal } from "../refusal.ts";
import { type Change, makeChange } from "../send/change.ts";
import { policyText } from "../tell/registry.ts";
import type { Terminal } from "../tell/terminal.ts";

/** Makes a change and says so. */
export async function change(change: Change, done: string, flags: ChangeFlags, terminal: Terminal): Promise<void> {
  const value = await makeChange(change, flags, terminal);
  if (value === undefined) return;
  terminal.print(flags.json ? JSON.stringify(value) : done);
}

export function modelLoad({ terminal }: Context): Command {
  const command = newCommand("load", "Load and warm a version, and let it be called", ["ledge model load intent@2"]);
  return withChangeOptions(command.argument("<model@version>", "which")).action(async (which, flags: ChangeFlags) => {
    const path = versionPath(modelVersionOf(which));
    const what = { method: "POST", path: `${path}/load`, what: `load ${which}`, needs: path } as const;
    await change(what, `${which} is loaded and ready.`, flags, terminal);
  });
}

export function modelUnload({ terminal }: Context): Command {
  const command = newCommand("unload", "Refuse new calls of a version, finish the running ones, free its memory", [
    "ledge model unload intent@1",
  ]);
  return withChangeOptions(command.argument("<model@version>", "which")).action(async (which, flags: ChangeFlags) => {
    const path = versionPath(modelVersionOf(which));
    const what = { method: "POST", path: `${path}/unload`, what: `unload ${which}`, needs: path } as const;
    await change(what, `${which} is unloaded: calls of it are refused until it is loaded again.`, flags, terminal);
  });
}

export function modelRemove({ terminal }: Context): Command {
  const command = newCommand("remove", "Remove a version from the registry for good", ["ledge model remove intent@1"])
    .argument("<model@version>", "which")
    .option("--yes", "do not ask");
  return withChangeOptions(command).action(async (which: string, flags: ChangeFlags & { readonly yes?: true }) => {
    const path = versionPath(modelVersionOf(which));
    if (!flags.dryRun) await confirm(terminal, `Remove ${which} for good?`, flags.yes === true);
    const what = { method: "DELETE", path, what: `remove ${which} for good`, needs: path } as const;
    await change(what, `${which} is removed; its number is not used again.`, flags, terminal);
  });
}

export function modelAlias({ terminal }: Context): Command {
  const command = newCommand("alias", "Give a version a name of its own, or take the name away", [
    "ledge model alias intent@2 blue",
    "ledge model alias intent blue --remove",
  ])
    .argument("<model[@version]>", "which; the version unless --remove")
    .argument("<alias>", "the name: callers write model@alias")
    .option("--remove", "take the name away");
  return withChangeOptions(command).action(
    async (which: string, alias: string, flags: ChangeFlags & { readonly remove?: true }) => {
      const model = modelNameOf(which.split("@")[0] ?? "");
      const path = `${modelPath(model)}/aliases/${encodeURIComponent(alias)}`;
      if (flags.remove) {
        const what = `take the name ${alias} from ${model}`;
        await change(
          { method: "DELETE", path, what, needs: modelPath(model) },
          `${model}@${alias} is gone.`,
          flags,
          terminal,
        );
        return;
      }
      const { version } = modelVersionOf(which);
      const what = { what: `call ${which} ${alias}`, needs: versionPath({ model, version }) };
      await change(
        { method: "PUT", path, json: { version }, ...what },
        `${model}@${alias} is version ${version}.`,
        flags,
        terminal,
      );
    },
  );
}

export function modelPolicy({ terminal }: Context): Command {
  const command = newCommand("policy", "Say which versions can be called: latest N, all, or those named", [
    "ledge model policy intent latest 2",
    "ledge model policy intent all",
    "ledge model policy intent specific 1 3",
  ])
    .argument("<model>", "which")
    .argument("<policy>", "latest, all or specific")
    .argument("[numbers...]", "latest: how many (default 1); specific: the versions");
  return withChangeOptions(command).action(
    async (which: string, kind: string, numbers: readonly string[], flags: ChangeFlags) => {
      const model = modelNameOf(which);
      const policy = policyOf(kind, numbers);
      const says = `let callers reach ${policyText(policy)} of ${model}`;
      const what = { method: "PUT", path: `${modelPath(model)}/policy`, json: policy, what: says } as const;
      const done = `Callers reach ${policyText(policy)} of ${model}, besides what answers its name and aliases.`;
      await change({ ...what, needs: modelPath(model) }, done, flags, terminal);
    },
  );
}

function policyOf(kind: string, texts: readonly string[]): VersionPolicy {
  const numbers = texts.map(Number);
  const policies: Readonly<Record<string, unknown>> = {
    latest: { latest: { num_versions: numbers[0] ?? 1 } },
    all: { all: {} },
    specific: { specific: { versions: numbers } },
  };
  const policy = versionPolicy.safeParse(policies[kind]);
  const most = { latest: 1, all: 0 }[kind] ?? numbers.length;
  if (policy.success && numbers.length <= most) return policy.data;
  throw new Refusal("A policy is 'latest N', 'all', or 'specific' with the versions, as in: specific 1 3.", 2);
}

export function modelPromote({ terminal }: Context): Command {
  const command = newCommand("promote", "Have a version answer the model's bare name, at once", [
    "ledge model promote intent@2",
  ]);
  return withChangeOptions(command.argument("<model@version>", "which")).action(async (which, flags: ChangeFlags) => {
    const { model, version } = modelVersionOf(which);
    const path = `${modelPath(model)}/stable`;
    const what = { what: `have ${which} answer '${model}'`, needs: versionPath({ model, version }) };
    await change(
      { method: "PUT", path, json: { version }, ...what },
      `'${model}' is answered by version ${version}.`,
      flags,
      terminal,
    );
  });
}

export function modelRollback({ terminal }: Context): Command {
  const command = newCommand("rollback", "Go back to the version that answered the bare name before", [
    "ledge model rollback intent",
  ]);
  return withChangeOptions(command.argument("<model>", "which")).action(async (which: string, flags: ChangeFlags) => {
    const path = modelPath(modelNameOf(which));
    const what = { method: "POST", path: `${path}/rollback`, what: `roll ${which} back`, needs: path } as const;
    await change(what, `${which} is rolled back.`, flags, terminal);
  });
}
