import { type EngineServerProcess, startServer } from "../engines/server.ts";
import { servers } from "../engines/servers.ts";
import type { RunningOrigin } from "../local/origin.ts";
import type { Wire } from "./wire.ts";

/** A process that faults happen to. */
export interface Party {
  /** Starts it anew, as its supervisor would; resolves when it says that it is ready. */
  start(): Promise<void>;
  /** As a crash does. */
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** Where it is asked directly: `http://…`. */
  readonly url: string;
  close(): Promise<void>;
  /** At once, for when this program ends. */
  destroy(): void;
}

/** An origin behind a wire of its own. `run` starts the process. */
export async function originParty(wire: Wire, run: () => Promise<RunningOrigin>): Promise<Party> {
  let origin = await run();
  const lead = () => {
    wire.port = Number(new URL(origin.url).port);
  };
  lead();
  return {
    get url() {
      return origin.url;
    },
    start: async () => {
      origin = await run();
      lead();
    },
    kill: () => origin.kill(),
    freeze: () => origin.signal("SIGSTOP"),
    thaw: () => origin.signal("SIGCONT"),
    close: () => {
      origin.signal("SIGCONT");
      return origin.close();
    },
    destroy: () => void origin.kill(),
  };
}

/** KServe's own model server, behind a wire for each form of the protocol. Throws with pip's or its own words. */
export async function engineParty(rest: Wire, grpc: Wire): Promise<Party> {
  const command = await servers.kserve();
  let server: EngineServerProcess;
  const start = async () => {
    server = await startServer(command);
    rest.port = Number(new URL(server.http).port);
    grpc.port = Number(server.grpc.split(":").at(-1));
  };
  await start();
  // It starts processes of its own: a signal goes to all of them.
  const signal = (name: NodeJS.Signals) => {
    const { pid, exitCode, signalCode } = server.child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    process.kill(-pid, name);
  };
  return {
    get url() {
      return server.http;
    },
    start,
    kill: async () => {
      const gone = new Promise((resolve) => server.child.once("exit", resolve));
      signal("SIGKILL");
      await gone;
    },
    freeze: () => signal("SIGSTOP"),
    thaw: () => signal("SIGCONT"),
    close: () => {
      signal("SIGCONT");
      return server.close();
    },
    destroy: () => signal("SIGKILL"),
  };
}
