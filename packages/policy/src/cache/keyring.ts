import { cacheStaleSMax, cacheTtlSMax, type Keyring } from "@ledge/contract";

/** What a tenant's keys are made from: when they change, and how long the old ones still open. */

/** Key salts that open what they sealed; `keyring` of the contract takes no more. */
export const sealingKeysMax = 4;

const answerKeptMs = (cacheTtlSMax + cacheStaleSMax) * 1000;

/** `salt`s are 32 random bytes in base64. */
export function firstKeyring(tenant: string, number: number, naming: string, sealing: string, nowMs: number): Keyring {
  return { tenant, number, naming, sealing: [{ id: 1, salt: sealing, createdAtMs: nowMs }] };
}

/**
 * A new salt seals from now on. The others stay as long as something that they sealed may be kept, {@link sealingKeysMax} in all.
 * Names of entries stay: what is kept is found again.
 */
export function rotatedKeyring(keyring: Keyring, number: number, salt: string, nowMs: number): Keyring {
  const id = Math.max(...keyring.sealing.map((known) => known.id)) + 1;
  const sealing = [{ id, salt, createdAtMs: nowMs }, ...keyring.sealing];
  return {
    ...keyring,
    number,
    // A salt sealed until the next newer one was made.
    sealing: sealing
      .filter((_, i) => i === 0 || nowMs - (sealing[i - 1]?.createdAtMs ?? 0) <= answerKeptMs)
      .slice(0, sealingKeysMax),
  };
}
