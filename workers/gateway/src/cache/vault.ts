import { type Keyring, keyring, parse } from "@ledge/contract";
import { fromBase64 } from "../base64.ts";
import { inTime } from "../in-time.ts";
import type { Keyrings, Slot } from "./ports.ts";
import type { SealingKeys } from "./semantic/ports.ts";

/** Format 1: this byte, the key's id in four, the nonce in twelve, then AES-GCM's ciphertext and tag. */
const format = 1;
const nonceAt = 5;
const sealedAt = nonceAt + 12;
/** Tenants whose keys an isolate keeps at hand. */
const tenantsMax = 256;
/** After keys could not be had, a tenant's calls go past the cache for so long; and the keeper is asked for newer ones this often at most. */
const retryMs = 1_000;
/** Keys that take longer to get cannot be had. */
const ringMsMax = 1_000;

/** Named so, as Node's types and Workers' call it differently. */
type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

export interface VaultDeps {
  /** The deployment's: nothing opens without it. */
  readonly secret: string;
  readonly keyrings: Keyrings;
  readonly nowMs: () => number;
}

/** Names and seals what is kept of a tenant (docs/decisions/0010-answer-cache.md). Keys never leave the runtime's vault. */
export class Vault {
  readonly #deps: VaultDeps;
  readonly #known = new Map<string, TenantKeys>();
  /** When a tenant's keys could not be had last, and when newer ones were asked for. */
  readonly #failedMs = new Map<string, number>();
  readonly #askedMs = new Map<string, number>();
  #secret: Key | undefined;

  constructor(deps: VaultDeps) {
    this.#deps = deps;
  }

  /**
   * A tenant's keys, of change `atLeast` or later; `undefined` while they cannot be had. `alarm` is called when another tenant's
   * are published in their place, and not taken.
   */
  async keysOf(tenant: string, atLeast: number, alarm = () => {}): Promise<TenantKeys | undefined> {
    const known = this.#known.get(tenant);
    if (known !== undefined && known.number >= atLeast) return known;
    const { nowMs } = this.#deps;
    if (nowMs() - (this.#failedMs.get(tenant) ?? 0) < retryMs) return undefined;
    const keys = await this.#keysFrom(tenant, this.#ringOf(tenant, atLeast, alarm));
    if (keys === undefined) note(this.#failedMs, tenant, nowMs());
    return keys;
  }

  /** The keeper's own word, when an answer has a key that is not known here: another isolate may have heard of a rotation first. */
  async #newer(tenant: string): Promise<TenantKeys | undefined> {
    const { nowMs, keyrings } = this.#deps;
    if (nowMs() - (this.#askedMs.get(tenant) ?? 0) < retryMs) return undefined;
    note(this.#askedMs, tenant, nowMs());
    return await this.#keysFrom(tenant, keyrings.made(tenant, 0));
  }

  async #keysFrom(tenant: string, ringing: Promise<Keyring>): Promise<TenantKeys | undefined> {
    const ring = await inTime(ringMsMax, ringing);
    if (ring === undefined) return undefined;
    const made = TenantKeys.from(await this.#hkdf(), tenant, ring, () => this.#newer(tenant));
    const keys = await made.catch(() => undefined);
    if (keys !== undefined) this.#remember(tenant, keys);
    return keys;
  }

  async #ringOf(tenant: string, atLeast: number, alarm: () => void): Promise<Keyring> {
    const { keyrings } = this.#deps;
    const published = parse(keyring, await keyrings.published(tenant));
    if (published.ok && published.value.tenant !== tenant) alarm();
    else if (published.ok && published.value.number >= atLeast) return published.value;
    return await keyrings.made(tenant, atLeast);
  }

  #remember(tenant: string, keys: TenantKeys): void {
    // Of two that were got at once the older may come last.
    if ((this.#known.get(tenant)?.number ?? 0) > keys.number) return;
    this.#known.delete(tenant);
    this.#known.set(tenant, keys);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= tenantsMax) return;
      this.#known.delete(oldest);
    }
  }

  async #hkdf(): Promise<Key> {
    const { secret } = this.#deps;
    this.#secret ??= await crypto.subtle.importKey("raw", encoder.encode(secret), "HKDF", false, [
      "deriveBits",
      "deriveKey",
    ]);
    return this.#secret;
  }
}

type Newer = () => Promise<TenantKeys | undefined>;

/** One tenant's keys. None can be read out but those of the index of prompts, which works elsewhere. */
export class TenantKeys {
  /** The change that made them so. */
  readonly number: number;
  readonly #secret: Key;
  readonly #tenant: string;
  readonly #ring: Keyring;
  readonly #naming: Key;
  /** The tenant's name in slots. */
  readonly #alias: string;
  readonly #newer: Newer;
  readonly #sealing = new Map<number, Key>();
  #prompts: SealingKeys | undefined;

  private constructor(secret: Key, tenant: string, ring: Keyring, newer: Newer, naming: Key, alias: string) {
    this.number = ring.number;
    this.#secret = secret;
    this.#tenant = tenant;
    this.#ring = ring;
    this.#newer = newer;
    this.#naming = naming;
    this.#alias = alias;
  }

  static async from(secret: Key, tenant: string, ring: Keyring, newer: Newer): Promise<TenantKeys> {
    const naming = await crypto.subtle.deriveKey(
      derivation(ring.naming, `naming|${tenant}`),
      secret,
      { name: "HMAC", hash: "SHA-256", length: 256 },
      false,
      ["sign"],
    );
    return new TenantKeys(secret, tenant, ring, newer, naming, await named(naming, `tenant|${tenant}`));
  }

  /** The entry id of what was asked: 32 hex digits. */
  name(text: string): Promise<string> {
    return named(this.#naming, text);
  }

  /** Where an entry of this id and epoch is kept. */
  slot(id: string, epoch: number): Slot {
    const key = `answer:${this.#alias}:${id}:${epoch}`;
    const about = encoder.encode(key);
    return {
      key,
      seal: (bytes) => this.#seal(about, bytes),
      open: (bytes) => this.#openAny(about, bytes).catch(() => undefined),
    };
  }

  /** Which index holds prompts of this context: one that nobody without the keys can name. */
  async indexOf(context: string, epoch: number): Promise<string> {
    return `prompts:${this.#alias}:${await named(this.#naming, `prompts|${context}`)}:${epoch}`;
  }

  /** For the index of prompts, which seals them itself; the newest first. */
  async promptKeys(): Promise<SealingKeys> {
    if (this.#prompts !== undefined) return this.#prompts;
    const keys = this.#ring.sealing.map(async ({ id, salt }) => {
      const purpose = derivation(salt, `prompts|${id}|${this.#tenant}`);
      return { id: String(id), bytes: new Uint8Array(await crypto.subtle.deriveBits(purpose, this.#secret, 256)) };
    });
    const [first, ...others] = await Promise.all(keys);
    if (first === undefined) throw new Error("a keyring without a key");
    // The keys, not a promise of them: another call's may never settle in this one.
    this.#prompts = [first, ...others];
    return this.#prompts;
  }

  async #seal(about: Uint8Array, bytes: Uint8Array): Promise<Uint8Array> {
    const id = this.#ring.sealing[0]?.id ?? 0;
    const key = await this.#keyOf(id);
    const iv = crypto.getRandomValues(new Uint8Array(sealedAt - nonceAt));
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: about }, key, bytes);
    const out = new Uint8Array(sealedAt + sealed.byteLength);
    out[0] = format;
    new DataView(out.buffer).setUint32(1, id);
    out.set(iv, nonceAt);
    out.set(new Uint8Array(sealed), sealedAt);
    return out;
  }

  async #openAny(about: Uint8Array, bytes: Uint8Array): Promise<Uint8Array | undefined> {
    if (bytes[0] !== format || bytes.length < sealedAt) return undefined;
    const id = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
    if (this.#has(id)) return await this.#open(about, bytes, id);
    const newer = await this.#newer();
    return newer !== undefined && newer.#has(id) ? await newer.#open(about, bytes, id) : undefined;
  }

  #has(id: number): boolean {
    return this.#ring.sealing.some((one) => one.id === id);
  }

  async #open(about: Uint8Array, bytes: Uint8Array, id: number): Promise<Uint8Array> {
    const iv = bytes.subarray(nonceAt, sealedAt);
    const key = await this.#keyOf(id);
    const sealed = bytes.subarray(sealedAt);
    return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: about }, key, sealed));
  }

  /** Throws when the tenant has no such key. */
  async #keyOf(id: number): Promise<Key> {
    const known = this.#sealing.get(id);
    if (known !== undefined) return known;
    const salt = this.#ring.sealing.find((one) => one.id === id)?.salt;
    if (salt === undefined) throw new Error("no such key");
    const key = await crypto.subtle.deriveKey(
      derivation(salt, `sealing|${id}|${this.#tenant}`),
      this.#secret,
      { name: "AES-GCM", length: 256 },
      false,
      ["encrypt", "decrypt"],
    );
    this.#sealing.set(id, key);
    return key;
  }
}

const encoder = new TextEncoder();

/** HKDF (RFC 5869): another salt or another purpose is another key. */
function derivation(salt: string, purpose: string) {
  const bytes = fromBase64(salt);
  if (bytes === undefined) throw new Error("a salt is not base64");
  return { name: "HKDF", hash: "SHA-256", salt: bytes, info: encoder.encode(`ledge-cache-1|${purpose}`) };
}

/** The first 128 bits of the keyed hash, hex. */
async function named(key: Key, text: string): Promise<string> {
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));
  let id = "";
  for (const byte of mac.subarray(0, 16)) id += byte.toString(16).padStart(2, "0");
  return id;
}

/** When something was, by tenant; forgotten when there are too many. */
function note(times: Map<string, number>, tenant: string, nowMs: number): void {
  if (times.size >= tenantsMax) times.clear();
  times.set(tenant, nowMs);
}
