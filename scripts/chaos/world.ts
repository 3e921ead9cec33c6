import { adminKey, originSecret, startEdge, startOrigin, type TestEdge } from "../../test/support/ledge.ts";
import { type Random, randomOf } from "../simulate/random.ts";
import { engineParty, originParty, type Party } from "./parties.ts";
import { chatQuestions, pairManifest, type Question, tensorQuestion } from "./questions.ts";
import { Requests } from "./requests.ts";
import { type Watch, Wire } from "./wire.ts";

/**
 * Who faults happen to. `near-engine` is the network between the nearer origin and the engine, that between the farther one and the
 * engine being well. The edge is one workerd: its Workers can't be killed one by one, so it is flooded.
 */
export const targets = ["near-1", "far-1", "engine", "near-engine", "edge"] as const;
export type Target = (typeof targets)[number];

/**
 * callers → edge → wire → two origins, one a region → a wire each → one engine. The nearer origin speaks REST to the engine, the
 * farther one gRPC; chats are answered by the origins' own engine.
 */
export interface World {
  readonly edge: { readonly url: string; readonly key: string };
  readonly parties: ReadonlyMap<Target, Party>;
  /** What leads to a target. */
  readonly wires: ReadonlyMap<Target, readonly Wire[]>;
  readonly hasEngine: boolean;
  next(random: Random): Question;
  /** What the origins were sent, by the wires before them. */
  readonly requests: Requests;
  /** Nothing of it is left. */
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly seed: number;
  /** Whether KServe is started; without it there are chats alone. */
  readonly engine: boolean;
  readonly say: (line: string) => void;
}

/** Starts everything. Throws with a sentence when a part does not start; what was started is ended then. */
export async function startWorld({ seed, engine, say }: WorldOptions): Promise<World> {
  const opened: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const end of opened.splice(0).reverse()) await end();
  };
  try {
    return await build({ seed, engine, say }, opened, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function build(
  { seed, engine, say }: WorldOptions,
  opened: (() => Promise<void>)[],
  close: () => Promise<void>,
): Promise<World> {
  const requests = new Requests();
  const random = randomOf(seed);
  const wire = async (watch?: Watch) => {
    const made = await Wire.open(random, watch);
    opened.push(() => made.close());
    return made;
  };
  const keep = async (party: Promise<Party>) => {
    const kept = await party;
    const destroy = () => kept.destroy();
    process.once("exit", destroy);
    opened.push(async () => {
      await kept.close();
      process.removeListener("exit", destroy);
    });
    return kept;
  };
  const parties = new Map<Target, Party>();
  const wires = new Map<Target, readonly Wire[]>();
  const [rest, grpc] = [await wire(), await wire()];
  wires.set("engine", [rest, grpc]).set("near-engine", [rest]);
  if (engine) {
    say("Starting KServe; the first time its packages are installed …");
    parties.set("engine", await keep(engineParty(rest, grpc)));
  }
  say("Starting two origins and the edge …");
  const urls = { "near-1": `http://${rest.address}`, "far-1": `grpc://${grpc.address}` };
  for (const name of ["near-1", "far-1"] as const) {
    const before = await wire(requests.see);
    wires.set(name, [before]);
    parties.set(name, await keep(originParty(before, () => startOrigin(originEnv(engine ? urls[name] : undefined)))));
  }
  const address = (name: Target) => wires.get(name)?.[0]?.address;
  const pools = ["near", "far"].map((region) => {
    const name = `${region}-1` as Target;
    return { region, origins: [{ name, url: `http://${address(name)}` }] };
  });
  const edge = await startEdge({ dispatch: { ORIGIN_URL: "", ORIGINS: JSON.stringify(pools) } });
  opened.push(() => edge.close());
  const { key } = await edge.issueKey();
  if (engine) await attach(edge);
  const chats = await chatQuestions((body) => answerOf(parties.get("near-1")?.url ?? "", body));
  const next = (draw: Random): Question => {
    if (engine && draw() < 1 / 3) return tensorQuestion(draw);
    const question = chats[Math.floor(draw() * chats.length)];
    return question ?? tensorQuestion(draw);
  };
  return { edge: { url: edge.url, key }, parties, wires, hasEngine: engine, next, requests, close };
}

function originEnv(engineUrl: string | undefined): Readonly<Record<string, string>> {
  const engines = [{ kind: "oip", url: engineUrl, binary: true, models: [{ name: "pair" }] }];
  return {
    MODELS: "tiny-chat",
    // Only so that it can be asked without the edge.
    ORIGIN_AUTH: "either",
    ...(engineUrl === undefined ? {} : { ENGINES: JSON.stringify(engines) }),
  };
}

async function attach(edge: TestEdge): Promise<void> {
  const answer = await edge.post("/admin/v1/models/pair/versions", adminKey, { manifest: pairManifest });
  if (!answer.ok) throw new Error(`The engine's model is not registered: ${answer.status} ${await answer.text()}`);
}

/** How an origin is asked without the edge. */
export const directHeaders = { Authorization: `Bearer ${originSecret}`, "Content-Type": "application/json" };

async function answerOf(url: string, body: string): Promise<string> {
  const answer = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers: directHeaders, body });
  if (!answer.ok) throw new Error(`The origin gives no right answer: ${answer.status} ${await answer.text()}`);
  const said = (await answer.json()) as {
    readonly choices: readonly { readonly message: { readonly content: string } }[];
  };
  return said.choices[0]?.message.content ?? "";
}
