import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { fakeTerminal } from "../../../test/support/fake-terminal.ts";
import { main } from "./main.ts";
import { everyCommand, program } from "./program.ts";

const commands: Command[] = [];
everyCommand(program({ terminal: fakeTerminal() }), (command) => commands.push(command));
const pathOf = (command: Command): string =>
  command.parent === null ? "" : `${pathOf(command.parent)} ${command.name()}`.trim();
const named = commands.map((command) => [`ledge ${pathOf(command)}`.trim(), command] as const);

describe.each(named)("%s", (name, command) => {
  const help = helpOf(command);

  test("says in one line what it does, how it is used, what it takes and an example that begins with its name", () => {
    expect(help).toMatch(new RegExp(`^Usage: ${name}\\b`));
    expect(command.summary()).toMatch(/^[A-Z].*[^.]$/);
    expect(help).toMatch(/^(?:Options|Arguments):/m);
    const example = /^Examples?:\n((?: {2}.*\n?)+)/m.exec(help)?.[1] ?? "";
    for (const line of example.trim().split("\n")) expect(line.trim()).toMatch(/^ledge /);
    if (command.commands.length === 0) expect(example.trim().startsWith(name)).toBe(true);
  });

  test("describes every argument and option, and offers --json where it prints facts", () => {
    for (const { description } of [...command.registeredArguments, ...command.options])
      expect(description).toMatch(/\w/);
    const passesOn = ["quantize", "prune", "distill"].includes(command.name());
    if (command.commands.length === 0 && !passesOn) expect(help).toContain("--json");
  });

  test("offers --dry-run where it changes what callers get", () => {
    const drastic =
      /model (?:add|load|unload|remove|alias|policy|promote|rollback)$|rollout (?!status)\w+$|cache (?!show|keys)[\w-]+$|(?:tenant|project|member|limits|plan|tier|price) (?!list|show)\w+$|(?:key|admin) (?!list|show|create)\w+$/;
    if (drastic.test(name)) expect(help).toContain("--dry-run");
  });
});

function helpOf(command: Command): string {
  const parts: string[] = [];
  command.configureOutput({ writeOut: (part) => parts.push(part), getOutHelpWidth: () => 100 });
  command.outputHelp();
  return parts.join("");
}

test("to bring, measure, operate, split, cache and audit: every command is there", () => {
  const names = named.map(([name]) => name);
  const wanted = [
    ...["add", "check", "measure", "list", "show", "load", "unload", "remove", "alias", "policy", "promote"],
    ...["quantize", "prune", "distill"],
  ].map((name) => `ledge model ${name}`);
  const rollout = ["start", "status", "promote", "rollback", "stop"].map((name) => `ledge rollout ${name}`);
  const cache = ["show", "set", "purge", "keys", "rotate-key", "destroy-key"].map((name) => `ledge cache ${name}`);
  const tenancy = Object.entries({
    tenant: ["create", "list", "show", "set", "suspend", "resume", "delete", "webhook"],
    project: ["list", "set", "remove"],
    member: ["list", "set", "remove"],
    key: ["create", "list", "show", "set", "rotate", "revoke"],
    limits: ["show", "set"],
    plan: ["list", "set", "remove"],
    tier: ["list", "set", "remove"],
    price: ["list", "set"],
    admin: ["create", "list", "revoke"],
  }).flatMap(([group, verbs]) => verbs.map((verb) => `ledge ${group} ${verb}`));
  const audit = ["ledge audit", "ledge audit verify"];
  expect(names).toEqual(expect.arrayContaining([...wanted, ...rollout, ...cache, ...tenancy, ...audit]));
});

describe("a command line", () => {
  test("that cannot be understood ends with 2, names the nearest command and says what to type", async () => {
    const terminal = fakeTerminal();
    expect(await main(["model", "lsit"], terminal)).toBe(2);
    expect(terminal.said.join("\n")).toMatch(/Did you mean list\?[\s\S]*'ledge model --help'/);
    expect(terminal.printed).toEqual([]);
  });

  test("with --help ends with 0 and prints on standard output", async () => {
    const terminal = fakeTerminal();
    expect(await main(["model", "add", "--help"], terminal)).toBe(0);
    expect(terminal.printed.join("")).toContain("Usage: ledge model add");
  });

  test("for a file that is not there ends with 1 and one sentence", async () => {
    const terminal = fakeTerminal();
    expect(await main(["model", "check", "nowhere.onnx", "--yes"], terminal)).toBe(1);
    expect(terminal.said).toEqual(["There is nothing at /nowhere.onnx."]);
  });
});
