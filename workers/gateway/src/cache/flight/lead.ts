import { errors } from "@ledge/contract";
import type { Turn } from "../../flight-room.ts";
import { inTime } from "../../in-time.ts";
import type { Flight, Flown } from "../ports.ts";
import { Lane } from "./lane.ts";

/** How long a leader whose work failed waits to hear whether another may try, milliseconds. */
const handOverMsMax = 250;

export type Work<T> = (signal: AbortSignal) => Promise<Flown<T>>;

/** Does the work for all, and tells them. The caller's own answer does not wait for that. */
export async function lead<T>(flight: Flight, turn: Turn, work: Work<T>): Promise<Flown<T>> {
  const flown = await worked(flight, turn, work);
  return flown.result.ok ? landed(flight, turn, flown) : await failed(flight, turn, flown);
}

/** The same for a stream, which all get as this call's caller reads it, or without one when that leaves. */
export async function leadStream(
  flight: Flight,
  turn: Turn,
  work: Work<ReadableStream<Uint8Array>>,
): Promise<Flown<ReadableStream<Uint8Array>>> {
  const flown = await worked(flight, turn, work);
  const { result } = flown;
  if (!result.ok) return await failed(flight, turn, flown);
  return { ...flown, result: { ok: true, value: pourAlong(flight, turn, result.value, flown.landedMs) } };
}

/** The work, which is stopped when its caller has left and nobody waits. */
async function worked<T>(flight: Flight, turn: Turn, work: Work<T>): Promise<Flown<T>> {
  const stop = new AbortController();
  const onLeave = () => flight.waitUntil(deserted(turn).then(() => stop.abort()));
  flight.signal.addEventListener("abort", onLeave, { once: true });
  try {
    const working = work(stop.signal);
    // The caller's leaving ends its request, but not what is waited for.
    flight.waitUntil(working.catch(() => undefined));
    return await working;
  } catch (bug) {
    flight.waitUntil(turn.leave().catch(() => undefined));
    throw bug;
  } finally {
    flight.signal.removeEventListener("abort", onLeave);
  }
}

function landed<T>(flight: Flight, turn: Turn, flown: Flown<T>): Flown<T> {
  flight.waitUntil(turn.land(flown.result, flown.landedMs).catch(() => undefined));
  return flown;
}

/** A fault that all would get is everybody's; another may try after any other, unless enough have. */
async function failed<T>(flight: Flight, turn: Turn, flown: Flown<T>): Promise<Flown<T>> {
  const { result, collapsed, spent } = flown;
  if (!result.ok && result.fault.code === "deadline_exceeded") {
    // This call's time is over, which says nothing of anybody else's.
    flight.waitUntil(turn.leave().catch(() => undefined));
    return flown;
  }
  if (result.ok || !errors[result.fault.code].retryable || collapsed || spent) return landed(flight, turn, flown);
  const telling = turn.fail(result.fault).catch(() => false);
  flight.waitUntil(telling);
  return (await inTime(handOverMsMax, telling)) === true ? { ...flown, spent: true } : flown;
}

function pourAlong(
  flight: Flight,
  turn: Turn,
  source: ReadableStream<Uint8Array>,
  landedMs?: number,
): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  const lane = new Lane();
  flight.waitUntil(turn.pour(lane.events, landedMs).catch(() => lane.close()));
  const step = async () => {
    try {
      const { done, value } = await reader.read();
      if (done) lane.close();
      else lane.push(value);
      return done ? undefined : value;
    } catch (broken) {
      lane.close();
      throw broken;
    }
  };
  const carryOn = async () => {
    // Once nobody waits, the engine is stopped: what is read then is the end.
    void deserted(turn).then(() => reader.cancel("nobody waits").catch(() => undefined));
    while ((await step().catch(() => undefined)) !== undefined);
  };
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const value = await step();
      if (value !== undefined) return controller.enqueue(value);
      controller.close();
      controller.byobRequest?.respond(0);
    },
    cancel: () => flight.waitUntil(carryOn()),
  });
}

/** Whatever is wrong with the room, nobody can be waiting in it. */
function deserted(turn: Turn): Promise<void> {
  return turn.deserted().catch(() => undefined);
}
