import { type Fault, fail, type OffenceReport } from "@ledge/contract";
import { type AbuseRecord, abuseRule, cleanRecord, offend } from "@ledge/policy";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Trail } from "../exchange.ts";
import { Offences, type OffencesDeps } from "./offences.ts";
import type { AbuseBook } from "./ports.ts";

const wrong: Fault = { code: "invalid_credentials" };
const from = (address?: string) =>
  new Request("https://ledge.example/v1/predict", {
    headers: address === undefined ? {} : { "CF-Connecting-IP": address },
  });
const address = "203.0.113.7";

/** The book as the Durable Objects keep it. */
class Book implements AbuseBook {
  readonly reports: OffenceReport[] = [];
  looks = 0;
  isDown = false;
  #number = 0;
  readonly #records = new Map<string, AbuseRecord>();
  #changes: { number: number; subject: string; untilMs: number }[] = [];

  async report(report: OffenceReport): Promise<AbuseRecord> {
    if (this.isDown) throw new Error("down");
    this.reports.push(report);
    const before = this.#records.get(report.subject) ?? cleanRecord;
    const record = offend(abuseRule, before, report.points, Date.now());
    this.#records.set(report.subject, record);
    if (record.blockedUntilMs !== before.blockedUntilMs) this.change(report.subject, record.blockedUntilMs);
    return record;
  }

  change(subject: string, untilMs: number): void {
    if (untilMs === 0) this.#records.delete(subject);
    this.#changes.push({ number: ++this.#number, subject, untilMs });
  }

  async changesAfter(after: number) {
    this.looks++;
    if (this.isDown) throw new Error("down");
    return { number: this.#number, changes: this.#changes.filter(({ number }) => number > after) };
  }
}

function isolate(book: Book, more: Partial<OffencesDeps> = {}) {
  const said: string[] = [];
  const offences = new Offences({
    book,
    wall: undefined,
    isOn: true,
    say: (what) => said.push(what),
    nowMs: Date.now,
    ...more,
  });
  const work: Promise<void>[] = [];
  const background = (more: Promise<void>) => void work.push(more);
  /** How it is answered, and after how many milliseconds. */
  async function answered(answer: Promise<{ readonly ok: boolean }>) {
    const startMs = Date.now();
    let given: { ok: boolean; fault?: Fault } | undefined;
    void answer.then((result) => {
      given = result;
    });
    for (let ms = 0; given === undefined && ms < 2_000; ms += 10) await vi.advanceTimersByTimeAsync(ms === 0 ? 0 : 10);
    await Promise.all(work);
    return { code: given?.fault?.code, retryAfterMs: given?.fault?.retryAfterMs, ms: Date.now() - startMs };
  }
  const badKey = (ip: string | undefined = address) => answered(offences.refuse(from(ip), wrong, background));
  const call = (subject = "key:a") => answered(offences.pass(subject, background));
  const ends = (trail: Partial<Trail>) => offences.note(from(address), { timings: {}, ...trail }, background);
  const settled = async () => void (await Promise.all(work));
  return { badKey, call, ends, settled, said, offences };
}

beforeEach(() => void vi.useFakeTimers({ now: 1_800_000_000_000 }));
afterEach(() => void vi.useRealTimers());

describe("repeated bad credentials", () => {
  test("are answered as ever at first, then later and later, then not at all for a minute that the answer names", async () => {
    const { badKey, said } = isolate(new Book());
    const answers = [];
    for (let i = 0; i < 40; i++) answers.push(await badKey());
    expect(answers.slice(0, 4).map(({ code, ms }) => [code, ms])).toEqual(Array(4).fill(["invalid_credentials", 0]));
    const delays = answers.map(({ ms }) => ms);
    expect(delays[10]).toBeGreaterThan(delays[5] ?? 0);
    expect(Math.max(...delays)).toBeLessThanOrEqual(1_000);
    const last = answers.at(-1);
    expect(last?.code).toBe("caller_blocked");
    expect(last?.retryAfterMs).toBeLessThanOrEqual(60_000);
    expect(said).toEqual(["an address is blocked"]);
  });

  test("from a blocked address are admitted to no answer until exactly the time that was named", async () => {
    const { badKey } = isolate(new Book());
    let answer = await badKey();
    while (answer.code !== "caller_blocked") answer = await badKey();
    await vi.advanceTimersByTimeAsync((answer.retryAfterMs ?? 0) - 1);
    expect((await badKey()).code).toBe("caller_blocked");
    await vi.advanceTimersByTimeAsync(1);
    expect((await badKey()).code).toBe("invalid_credentials");
  });

  test("do not shut out a valid key behind the same address, which is not even slowed", async () => {
    const { badKey, call } = isolate(new Book());
    for (let i = 0; i < 40; i++) await badKey();
    expect(await call("key:valid")).toEqual({ code: undefined, retryAfterMs: undefined, ms: 0 });
  });

  test("are counted by /64 of IPv6, and not at all of this machine or of no address", async () => {
    const { badKey } = isolate(new Book());
    for (let i = 0; i < 40; i++) await badKey(`2001:db8:0:1::${i.toString(16)}`);
    expect((await badKey("2001:db8:0:1:ffff::1")).code).toBe("caller_blocked");
    expect((await badKey("2001:db8:0:2::1")).code).toBe("invalid_credentials");
    for (let i = 0; i < 60; i++) expect((await badKey("127.0.0.1")).code).toBe("invalid_credentials");
  });
});

describe("a credential that", () => {
  test("searches for models it may not have is blocked itself, wherever it calls from", async () => {
    const { ends, call, settled } = isolate(new Book());
    for (let i = 0; i < 40; i++) ends({ code: "model_not_found", subject: "key:a", asked: { name: `guess-${i}` } });
    await settled();
    expect((await call("key:a")).code).toBe("caller_blocked");
    expect((await call("key:b")).code).toBeUndefined();
  });

  test("asks for one model that is gone, again and again, is not", async () => {
    const { ends, call } = isolate(new Book());
    for (let i = 0; i < 1_000; i++) ends({ code: "model_not_found", subject: "key:a", asked: { name: "gone" } });
    expect(await call("key:a")).toMatchObject({ code: undefined, ms: 0 });
  });

  test("floods with prompts that are refused is blocked", async () => {
    const { ends, call, settled } = isolate(new Book());
    for (let i = 0; i < 20; i++) ends({ code: "context_length_exceeded", subject: "key:a" });
    await settled();
    expect((await call("key:a")).code).toBe("caller_blocked");
  });

  test("does nothing wrong costs no hop but one look every five seconds, whatever others do", async () => {
    const book = new Book();
    const { call } = isolate(book);
    for (let i = 0; i < 100; i++) {
      await call();
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(book.reports).toEqual([]);
    expect(book.looks).toBeLessThanOrEqual(3);
  });
});

describe("what one isolate finds", () => {
  test("adds up with what others find: none of them sees enough alone", async () => {
    const book = new Book();
    const isolates = [isolate(book), isolate(book), isolate(book), isolate(book)];
    for (let i = 0; i < 12; i++) for (const { badKey } of isolates) await badKey();
    for (const { badKey } of isolates) expect((await badKey()).code).toBe("caller_blocked");
  });

  test("is not told before it passes the threshold", async () => {
    const book = new Book();
    const { badKey } = isolate(book);
    for (let i = 0; i < 4; i++) await badKey();
    expect(book.reports).toEqual([]);
  });

  test("is known to an isolate that never met the caller within five seconds and a call, and a lift as well", async () => {
    const book = new Book();
    const { call } = isolate(book);
    await call("key:a");
    book.change("key:a", Date.now() + 3_600_000);
    await vi.advanceTimersByTimeAsync(5_000);
    await call("key:other");
    expect((await call("key:a")).code).toBe("caller_blocked");
    book.change("key:a", 0);
    await vi.advanceTimersByTimeAsync(5_000);
    await call("key:other");
    expect((await call("key:a")).code).toBeUndefined();
  });

  test("is not told while a block lasts: who is let in again begins with nothing", async () => {
    const book = new Book();
    const { badKey } = isolate(book);
    let answer = await badKey();
    while (answer.code !== "caller_blocked") answer = await badKey();
    const before = book.reports.length;
    book.change(`ip:${address}`, 0);
    for (let i = 0; i < 100; i++) await badKey();
    expect(book.reports.length).toBe(before);
    await vi.advanceTimersByTimeAsync(5_000);
    await badKey();
    expect(await badKey()).toMatchObject({ code: "invalid_credentials", ms: 0 });
  });

  test("blocks here alone while the book cannot be reached, and good callers pass", async () => {
    const book = new Book();
    book.isDown = true;
    const { badKey, call } = isolate(book);
    for (let i = 0; i < 40; i++) await badKey();
    expect((await badKey()).code).toBe("caller_blocked");
    expect((await call("key:good")).code).toBeUndefined();
  });
});

test("no more than 64 are held up at once: the rest are refused, and nobody is held for more than a second", async () => {
  const { offences, badKey } = isolate(new Book());
  for (let i = 0; i < 16; i++) await badKey();
  const held = Array.from({ length: 70 }, () =>
    offences.refuse(from(address), { code: "expired_credentials" }, () => undefined),
  );
  const codes: (string | undefined)[] = [];
  for (const answer of held) void answer.then((given) => codes.push(given.ok ? undefined : given.fault.code));
  await vi.advanceTimersByTimeAsync(0);
  expect(codes.filter((code) => code === "caller_blocked").length).toBeGreaterThan(0);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(codes.length).toBe(70);
});

describe("the outer wall", () => {
  test("stops an address before anything is done for it, and says when to come back", async () => {
    const asked: string[] = [];
    const wall = { admits: async (who: string) => asked.push(who) < 3 };
    const { offences } = isolate(new Book(), { wall });
    expect(await offences.stop(from(address))).toBeUndefined();
    expect(await offences.stop(from(address))).toBeUndefined();
    expect(await offences.stop(from(address))).toMatchObject(fail("caller_blocked", { retryAfterMs: 10_000 }));
    expect(asked).toEqual(Array(3).fill(`ip:${address}`));
  });

  test("that does not answer, or is not there, stops nobody", async () => {
    const wall = { admits: () => Promise.reject(new Error("down")) };
    expect(await isolate(new Book(), { wall }).offences.stop(from(address))).toBeUndefined();
    expect(isolate(new Book()).offences.stop(from(address))).toBeUndefined();
  });
});

test("switched off, nobody is slowed down or blocked, and nothing is asked", async () => {
  const book = new Book();
  const { badKey, ends, call } = isolate(book, { isOn: false });
  for (let i = 0; i < 60; i++) expect(await badKey()).toMatchObject({ code: "invalid_credentials", ms: 0 });
  for (let i = 0; i < 60; i++) ends({ code: "guard_refused", subject: "key:a" });
  expect(await call("key:a")).toMatchObject({ code: undefined, ms: 0 });
  expect([book.looks, book.reports.length]).toEqual([0, 0]);
});
