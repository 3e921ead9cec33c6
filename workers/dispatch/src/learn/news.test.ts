import type { BreakerNews } from "@ledge/policy/origins";
import { expect, test } from "vitest";
import { News } from "./news.ts";
import type { Told, Turn } from "./turns.ts";

/** The book without its object. */
class TestBook {
  told: Told[] = [];
  atMs = 1;
  asks = 0;
  isDown = false;

  async exchange(turns: readonly Turn[]): Promise<readonly Told[]> {
    this.asks++;
    if (this.isDown) throw new Error("gone");
    for (const turn of turns) {
      this.told = [...this.told.filter(({ key }) => key !== turn.key), { ...turn, atMs: this.atMs++ }];
    }
    return this.told;
  }
}

function isolate(book: TestBook, clock: { ms: number }) {
  const heard: [string, BreakerNews][] = [];
  const news = new News(
    book,
    (key, what) => heard.push([key, what]),
    () => clock.ms,
  );
  return { news, heard };
}

const open = { kind: "open", untilMs: 9_000, times: 1 } as const;

test("an isolate learns what another left, once, and does not hear its own words", async () => {
  const [book, clock] = [new TestBook(), { ms: 10_000 }];
  const [one, other] = [isolate(book, clock), isolate(book, clock)];
  one.news.tell("eu-1", open);
  await one.news.exchange();
  await other.news.exchange();
  await other.news.exchange();
  expect([one.heard, other.heard]).toEqual([[], [["eu-1", open]]]);
});

test("what the book could not be told is told the next time, and the last word counts", async () => {
  const [book, clock] = [new TestBook(), { ms: 10_000 }];
  const { news } = isolate(book, clock);
  book.isDown = true;
  news.tell("eu-1", open);
  await news.exchange();
  news.tell("eu-1", { kind: "closed" });
  book.isDown = false;
  await news.exchange();
  expect(book.told).toMatchObject([{ key: "eu-1", news: { kind: "closed" } }]);
});

test("with nothing to tell, the book is asked once in two seconds", async () => {
  const [book, clock] = [new TestBook(), { ms: 10_000 }];
  const { news } = isolate(book, clock);
  for (let call = 0; call < 1_000; call++) {
    clock.ms += 10;
    if (news.isDue) await news.exchange();
  }
  expect(book.asks).toBeLessThanOrEqual(6);
});
