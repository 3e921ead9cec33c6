import type { Worker } from "node:worker_threads";

/** Starts a thread's program; given by tests to keep hold of it. */
export type Spawn<Order> = (order: Order) => Worker;

/** Starts a thread and waits for the first thing it says. Throws when it ends without a word. */
export async function startThread<Order, First>(spawn: Spawn<Order>, order: Order): Promise<readonly [Worker, First]> {
  const worker = spawn(order);
  const first = await new Promise<First>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`The thread ended with code ${code}.`)));
  });
  worker.removeAllListeners("error").removeAllListeners("exit");
  return [worker, first];
}
