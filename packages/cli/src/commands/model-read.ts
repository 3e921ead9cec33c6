import { modelsAnswer, registeredModel, registeredVersion } from "@ledge/contract";
import type { Command } from "commander";
import { modelNameOf, modelPath, modelVersionOf, versionPath } from "../ask/model-version.ts";
import { targetOf } from "../ask/target.ts";
import { type TargetFlags, withTargetOptions } from "../ask/target-options.ts";
import { type Context, newCommand } from "../command.ts";
import { callAdmin } from "../send/admin.ts";
import { modelsText, modelText, versionText } from "../tell/registry.ts";

export function modelList({ terminal }: Context): Command {
  const command = newCommand("list", "List the models, their versions, aliases and rollouts", ["ledge model list"]);
  return withTargetOptions(command).action(async (flags: TargetFlags) => {
    const { value } = await callAdmin(targetOf(flags.url, terminal), { method: "GET", path: "/models" });
    terminal.print(flags.json ? JSON.stringify(value) : modelsText(modelsAnswer.parse(value).models));
  });
}

export function modelShow({ terminal }: Context): Command {
  const command = newCommand("show", "Show a model, or one version with its manifest", [
    "ledge model show intent",
    "ledge model show intent@2",
  ]).argument("<model[@version]>", "which");
  return withTargetOptions(command).action(async (which: string, flags: TargetFlags) => {
    const one = which.includes("@");
    const path = one ? versionPath(modelVersionOf(which)) : modelPath(modelNameOf(which));
    const { value } = await callAdmin(targetOf(flags.url, terminal), { method: "GET", path });
    if (flags.json) terminal.print(JSON.stringify(value));
    else terminal.print(one ? versionText(registeredVersion.parse(value)) : modelText(registeredModel.parse(value)));
  });
}
