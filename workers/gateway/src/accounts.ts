import {
  type Amount,
  fail,
  type LedgerAnswer,
  type LedgerMessage,
  type LedgerRow,
  type LedgerRules,
  nothing,
  ok,
  type Result,
} from "@ledge/contract";
import { covers, least, limitedBy, minus, most, plus, quotaUse } from "@ledge/policy";
import type { Hold } from "./exchange.ts";
import type { TenantLedger } from "./ports.ts";

/** How long rows may wait in the isolate, and what it holds ahead without need. */
const flushAfterMs = 1_000;
/** A flush that has not begun by then never will: the request whose background it was in is gone. */
const flushLostAfterMs = 5_000;
/** Workers end what runs behind an answer after 30 s. */
const flushRoundsMax = 20;
/** A message that was not answered by then is sent again by whoever waits. */
const answeredWithinMs = 2_000;
/** Then a call that waits is refused. */
const waitMsMax = 5_000;
/** The ledger takes an isolate for dead that is silent for so long after its last call must be over. */
const silentMsMax = 10_000;
/** A call is over so long after its deadline, or was cut off. */
const overMsMax = 5_000;
/** Rows kept for a ledger that cannot be reached; the oldest go first. */
const rowsMax = 10_000;

export interface AccountsDeps {
  readonly ledger: TenantLedger;
  /** Random, one an isolate. */
  readonly isolate: () => string;
  /** The longest that a call may take. */
  readonly callMsMax: number;
  readonly nowMs: () => number;
  /** Says to the operator what could not be handed over. */
  readonly say: (what: string) => void;
}

type Background = (work: Promise<void>) => void;

/** What a call has that is not over. */
interface Reserved {
  readonly demand: Amount;
  /** By then it is over, or its request was cut off and nobody will say so. Milliseconds since 1970. */
  readonly untilMs: number;
}

/** A call that waits to be admitted. */
interface Waiter {
  readonly demand: Amount;
  gone: boolean;
  resolve(admitted: Result<Reserved>): void;
}

interface Account {
  rules: LedgerRules;
  rows: LedgerRow[];
  /** Of the tenant's quotas: all that this isolate holds, and what of it calls have that are not over: the sum of `open`. */
  held: Amount;
  inFlight: Amount;
  /** In the order in which they end at the latest. */
  readonly open: Set<Reserved>;
  /** What calls have needed since the last message. */
  lately: Amount;
  waiting: Waiter[];
  /** Sent, but nobody knows whether it arrived: goes again, as it is, before anything else. */
  sealed: { readonly message: LedgerMessage; readonly waiters: readonly Waiter[] } | undefined;
  /** Of the last message. */
  number: number;
  sendingUntilMs: number;
  flushDueMs: number | undefined;
}

/**
 * What this isolate knows of tenants' ledgers: what it may spend of each one's quotas without asking, and the rows it has not
 * handed over. One message at a time to each ledger, about once a second and whenever a call needs more than is held.
 */
export class Accounts {
  readonly #deps: AccountsDeps;
  readonly #accounts = new Map<string, Account>();
  #isolate: string | undefined;
  #rows = 0;

  constructor(deps: AccountsDeps) {
    this.#deps = deps;
  }

  /** The id of the next call's row. */
  newCall(): string {
    this.#isolate ??= this.#deps.isolate();
    this.#rows += 1;
    return `${this.#isolate}.${this.#rows}`;
  }

  /** Errors: `quota_exceeded`, `ledger_unavailable`. Without a quota nothing is asked. */
  async reserve(
    tenant: string,
    rules: LedgerRules,
    call: Amount,
    background: Background,
  ): Promise<Result<Hold | undefined>> {
    const demand = limitedBy(rules.quotas, call);
    if (covers(nothing, demand)) return ok(undefined);
    const account = this.#of(tenant, rules);
    account.lately = plus(account.lately, demand);
    const mayGoAhead = account.waiting.length === 0 && covers(minus(account.held, account.inFlight), demand);
    const admitted = mayGoAhead ? ok(this.#open(account, demand)) : await this.#ask(tenant, account, demand);
    if (!admitted.ok) return admitted;
    const settle = () => {
      close(account, admitted.value);
      this.#flushSoon(tenant, account, background);
    };
    return ok({ settle });
  }

  /** Keeps a row until it is handed over. */
  record(tenant: string, rules: LedgerRules, row: LedgerRow, background: Background): void {
    const account = this.#of(tenant, rules);
    account.held = minus(account.held, limitedBy(rules.quotas, quotaUse(row)));
    if (account.rows.push(row) > rowsMax) {
      account.rows.shift();
      this.#deps.say("a row is dropped: its ledger has been out of reach for too long");
    }
    this.#flushSoon(tenant, account, background);
  }

  /** Hands over what is there now. */
  async flush(): Promise<void> {
    await Promise.all([...this.#accounts].map(([tenant, account]) => this.#send(tenant, account)));
  }

  async #ask(tenant: string, account: Account, demand: Amount): Promise<Result<Reserved>> {
    const { nowMs } = this.#deps;
    let admitted: Result<Reserved> | undefined;
    const untilMs = nowMs() + waitMsMax;
    const answered = new Promise<void>((done) => {
      const resolve = (result: Result<Reserved>) => {
        admitted = result;
        done();
      };
      account.waiting.push({ demand, gone: false, resolve });
    });
    const waiter = account.waiting.at(-1);
    while (admitted === undefined && nowMs() < untilMs) {
      // Whoever sends may be gone with its request: after a while somebody else does.
      if (account.sendingUntilMs <= nowMs()) await Promise.race([this.#send(tenant, account), sleep(answeredWithinMs)]);
      else await Promise.race([answered, sleep(answeredWithinMs)]);
    }
    if (waiter !== undefined && admitted === undefined) waiter.gone = true;
    return admitted ?? unavailable("no answer in time");
  }

  async #send(tenant: string, account: Account): Promise<void> {
    const { nowMs, ledger, say } = this.#deps;
    try {
      for (;;) {
        const sealed = this.#seal(account);
        if (sealed === undefined) return;
        account.sendingUntilMs = nowMs() + answeredWithinMs;
        const answer = await ledger.report(tenant, sealed.message);
        // Another request may have sent the same message meanwhile, and the next.
        if (account.sealed !== sealed) return;
        account.sealed = undefined;
        this.#take(account, sealed.waiters, answer);
        if (account.waiting.length === 0) return;
      }
    } catch (error) {
      say(`a ledger cannot be reached; what it is to be told is kept: ${String(error)}`);
      const left = [...(account.sealed?.waiters ?? []), ...account.waiting.splice(0)];
      for (const waiter of left) waiter.resolve(unavailable(String(error)));
      for (const waiter of left) waiter.gone = true;
    } finally {
      account.sendingUntilMs = 0;
    }
  }

  /** The next message, or the one that nobody answered; `undefined` when there is nothing to say. */
  #seal(account: Account): Account["sealed"] {
    if (account.sealed !== undefined) return account.sealed;
    for (const reserved of account.open) {
      if (reserved.untilMs >= this.#deps.nowMs()) break;
      close(account, reserved);
    }
    const { rows, held, inFlight, lately, rules } = account;
    const waiters = account.waiting.splice(0);
    // Who asks for more gives back what it has ahead, so that the ledger decides on all there is.
    const spare = waiters.length > 0 ? nothing : least(most(nothing, minus(held, inFlight)), lately);
    const keeps = plus(inFlight, spare);
    if (rows.length === 0 && waiters.length === 0 && covers(keeps, held)) return undefined;
    this.#isolate ??= this.#deps.isolate();
    account.number += 1;
    account.held = keeps;
    account.lately = nothing;
    account.rows = [];
    const message: LedgerMessage = {
      isolate: this.#isolate,
      number: account.number,
      rules,
      rows,
      keeps,
      keepsUntilMs: this.#deps.nowMs() + this.#deps.callMsMax + silentMsMax,
      demands: waiters.map(({ demand }) => demand),
      ahead: minus(lately, spare),
    };
    account.sealed = { message, waiters };
    return account.sealed;
  }

  #take(account: Account, waiters: readonly Waiter[], answer: LedgerAnswer): void {
    account.held = plus(account.held, answer.ahead);
    for (const [i, waiter] of waiters.entries()) {
      const refusedUntilMs = answer.refusedUntilMs[i] ?? 0;
      if (refusedUntilMs > 0) {
        const retryAfterMs = Math.max(1, refusedUntilMs - this.#deps.nowMs());
        waiter.resolve(fail("quota_exceeded", { retryAfterMs }));
        continue;
      }
      account.held = plus(account.held, waiter.demand);
      if (!waiter.gone) waiter.resolve(ok(this.#open(account, waiter.demand)));
    }
  }

  #open(account: Account, demand: Amount): Reserved {
    const { nowMs, callMsMax } = this.#deps;
    const reserved = { demand, untilMs: nowMs() + callMsMax + overMsMax };
    account.open.add(reserved);
    account.inFlight = plus(account.inFlight, demand);
    return reserved;
  }

  #flushSoon(tenant: string, account: Account, background: Background): void {
    const nowMs = this.#deps.nowMs();
    if (account.flushDueMs !== undefined && nowMs < account.flushDueMs + flushLostAfterMs) return;
    account.flushDueMs = nowMs + flushAfterMs;
    background(this.#flushLater(tenant, account));
  }

  /** Until everything is told, and nothing is held that no call has. */
  async #flushLater(tenant: string, account: Account): Promise<void> {
    for (let round = 0; round < flushRoundsMax; round++) {
      account.flushDueMs = this.#deps.nowMs() + flushAfterMs;
      await sleep(flushAfterMs);
      if (account.sendingUntilMs <= this.#deps.nowMs()) await this.#send(tenant, account);
      const { sealed, rows, inFlight, held } = account;
      if (sealed === undefined && rows.length === 0 && covers(inFlight, held)) break;
    }
    account.flushDueMs = undefined;
  }

  #of(tenant: string, rules: LedgerRules): Account {
    const known = this.#accounts.get(tenant);
    if (known !== undefined) {
      known.rules = rules;
      return known;
    }
    const account: Account = {
      rules,
      rows: [],
      held: nothing,
      inFlight: nothing,
      open: new Set(),
      lately: nothing,
      waiting: [],
      sealed: undefined,
      number: 0,
      sendingUntilMs: 0,
      flushDueMs: undefined,
    };
    this.#accounts.set(tenant, account);
    return account;
  }
}

function close(account: Account, reserved: Reserved): void {
  if (account.open.delete(reserved)) account.inFlight = minus(account.inFlight, reserved.demand);
}

function unavailable(cause: string): Result<never> {
  return fail("ledger_unavailable", { retryAfterMs: 1_000, cause });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
