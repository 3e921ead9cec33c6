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
