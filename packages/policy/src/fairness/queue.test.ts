import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { admit, dropLate, emptyQueue, take, waitingRows } from "./queue.ts";

const rule = fc.record({ waitingRowsMax: fc.nat(128), batchRowsMax: fc.integer({ min: 1, max: 64 }) });
/** A number of rows that arrive, or 0 for "the next batch is taken". */
const events = fc.array(fc.integer({ min: 0, max: 64 }), { maxLength: 200 });

describe("the queue", () => {
  test("never lets more rows wait than the bound, and refuses only what would exceed it", () => {
    fc.assert(
      fc.property(rule, events, (rule, arrivals) => {
        let state = emptyQueue;
        for (const rows of arrivals) {
          const before = waitingRows(state);
          if (rows === 0) {
            [, state] = take(rule, state);
            continue;
          }
          const [admission, next] = admit(rule, state, { rows, key: "same" });
          expect(admission.kind).toBe(before + rows > rule.waitingRowsMax ? "refused" : "admitted");
          expect(waitingRows(next)).toBe(admission.kind === "refused" ? before : before + rows);
          expect(waitingRows(next)).toBeLessThanOrEqual(rule.waitingRowsMax);
          state = next;
        }
      }),
    );
  });

  test("serves every admitted call exactly once, first come first", () => {
    fc.assert(
      fc.property(rule, events, (rule, arrivals) => {
        let state = emptyQueue;
        const admitted: number[] = [];
        const served: number[] = [];
        const serve = () => {
          const [batch, next] = take(rule, state);
          for (const ticket of batch) served.push(ticket.id);
          state = next;
        };
        for (const rows of arrivals) {
          if (rows === 0) serve();
          else {
            const [admission, next] = admit(rule, state, { rows, key: "same" });
            if (admission.kind === "admitted") admitted.push(admission.ticket.id);
            state = next;
          }
        }
        while (state.waiting.length > 0) serve();
        expect(served).toEqual(admitted);
        expect(new Set(served).size).toBe(served.length);
      }),
    );
  });

  test("makes batches that hold at most the batch bound unless one call alone exceeds it, and never an empty one", () => {
    fc.assert(
      fc.property(rule, fc.array(fc.integer({ min: 1, max: 64 }), { maxLength: 50 }), (rule, arrivals) => {
        let state = emptyQueue;
        for (const rows of arrivals)
          [, state] = admit({ ...rule, waitingRowsMax: 10_000 }, state, { rows, key: "same" });
        while (state.waiting.length > 0) {
          const [batch, next] = take(rule, state);
          const rows = batch.reduce((sum, ticket) => sum + ticket.rows, 0);
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length === 1 || rows <= rule.batchRowsMax).toBe(true);
          state = next;
        }
      }),
    );
  });

  test("of bound 0 refuses everyone and changes nothing", () => {
    expect(admit({ waitingRowsMax: 0, batchRowsMax: 32 }, emptyQueue, { rows: 1 })).toEqual([
      { kind: "refused" },
      emptyQueue,
    ]);
  });

  test("lets only those go whose deadline has passed", () => {
    const deadlines = [5, undefined, 10, 15];
    let state = emptyQueue;
    for (const deadlineMs of deadlines) {
      [, state] = admit({ waitingRowsMax: 10, batchRowsMax: 1 }, state, {
        rows: 1,
        ...(deadlineMs === undefined ? {} : { deadlineMs }),
      });
    }
    const [late, left] = dropLate(state, 10);
    expect(late.map(({ id }) => id)).toEqual([1, 3]);
    expect(left.waiting.map(({ id }) => id)).toEqual([2, 4]);
  });
});

describe("shares of capacity", () => {
  const share = (of: string, weight = 1) => ({ of, weight });
  const one = { waitingRowsMax: 1_000, batchRowsMax: 1 };
  const names = ["a", "b", "c"] as const;

  /** Whose rows ran, in order, after all these calls had come. */
  function served(
    calls: readonly { readonly rows: number; readonly share: ReturnType<typeof share> }[],
    times: number,
  ) {
    let state = emptyQueue;
    for (const call of calls) [, state] = admit({ ...one, waitingRowsMax: 100_000 }, state, { ...call, key: "same" });
    return Array.from({ length: times }, () => {
      const [[ticket], next] = take(one, state);
      state = next;
      return ticket;
    });
  }

  test("are dealt by weight while several wait, whatever each has waiting", () => {
    const weights = fc.record({
      a: fc.integer({ min: 1, max: 8 }),
      b: fc.integer({ min: 1, max: 8 }),
      c: fc.integer({ min: 1, max: 8 }),
    });
    fc.assert(
      fc.property(weights, fc.array(fc.constantFrom(...names), { minLength: 3, maxLength: 3 }), (weights, order) => {
        const all = names.reduce((sum, name) => sum + weights[name], 0);
        const rounds = 20;
        const calls = [...new Set([...order, ...names])].flatMap((name) =>
          Array.from({ length: 8 * rounds + 8 }, () => ({ rows: 1, share: share(name, weights[name]) })),
        );
        const ran = served(calls, all * rounds);
        for (const name of names) {
          const rows = ran.filter((ticket) => ticket?.share?.of === name).length;
          // Start-time fair queueing is never further from the ideal than one call of each share, and the eight rows that each other may be ahead.
          expect(Math.abs(rows - weights[name] * rounds)).toBeLessThanOrEqual(names.length + 8 * (names.length - 1));
        }
      }),
      { numRuns: 50 },
    );
  });

  test("let a newcomer run next, before the rest of a burst that came first", () => {
    const burst = Array.from({ length: 100 }, () => ({ rows: 1, share: share("a") }));
    const ran = served([...burst, { rows: 1, share: share("b") }], 2);
    expect(ran.map((ticket) => ticket?.share?.of)).toEqual(["a", "b"]);
  });

  test("give everything to who is alone, and to who was idle a few rows ahead and no more", () => {
    const idleRows = fc.integer({ min: 1, max: 200 });
    fc.assert(
      fc.property(idleRows, (ranBefore) => {
        let state = emptyQueue;
        const come = (of: string, calls: number) => {
          for (let i = 0; i < calls; i++) [, state] = admit(one, state, { rows: 1, share: share(of) });
        };
        const run = (calls: number) =>
          Array.from({ length: calls }, () => {
            const [[ticket], next] = take(one, state);
            state = next;
            return ticket?.share?.of;
          });
        come("a", ranBefore + 40);
        expect(new Set(run(ranBefore))).toEqual(new Set(["a"]));
        come("b", 40);
        const order = run(60);
        // Of rows that come together eight at once, and from there on in turns.
        const ahead = order.indexOf("a");
        expect(ahead).toBeGreaterThan(0);
        expect(ahead).toBeLessThanOrEqual(9);
        const rest = order.slice(ahead, ahead + 40);
        expect(Math.abs(rest.filter((of) => of === "a").length - 20)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 50 },
    );
  });

  test("never starve anybody, however little they weigh", () => {
    let state = emptyQueue;
    [, state] = admit(one, state, { rows: 1, share: share("light", 1 / 16) });
    let waited = 0;
    for (;;) {
      for (let i = 0; i < 2; i++) [, state] = admit(one, state, { rows: 1, share: share("heavy", 32) });
      const [[ticket], next] = take(one, state);
      state = next;
      if (ticket?.share?.of === "light") break;
      waited++;
    }
    expect(waited).toBeLessThan(5);
  });

  test("make room when the queue is full: the newest of who has most for its weight go, and no others", () => {
    let state = emptyQueue;
    const rule = { waitingRowsMax: 10, batchRowsMax: 4 };
    for (let i = 0; i < 10; i++) [, state] = admit(rule, state, { rows: 1, share: share("a") });
    const [admission, after] = admit(rule, state, { rows: 2, share: share("b") });
    expect(admission).toMatchObject({ kind: "admitted", pushedOut: [{ id: 10 }, { id: 9 }] });
    expect(waitingRows(after)).toBe(10);
    expect(admit(rule, state, { rows: 1, share: share("a") })).toEqual([{ kind: "refused" }, state]);
  });

  test("leave every share its part of a full queue, and never hold more than the bound", () => {
    const arrivals = fc.array(fc.record({ of: fc.constantFrom(...names), rows: fc.integer({ min: 1, max: 3 }) }), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(arrivals, (calls) => {
        const rule = { waitingRowsMax: 30, batchRowsMax: 4 };
        let state = emptyQueue;
        for (const { of, rows } of calls) {
          const mine = () => state.waiting.filter(({ share }) => share?.of === of).reduce((sum, t) => sum + t.rows, 0);
          const before = mine();
          const [admission, next] = admit(rule, state, { rows, share: share(of) });
          // Under a third of the queue nobody of three is ever refused.
          if (before + rows <= 10) expect(admission.kind).toBe("admitted");
          state = next;
          expect(waitingRows(state)).toBeLessThanOrEqual(30);
        }
      }),
    );
  });
});
