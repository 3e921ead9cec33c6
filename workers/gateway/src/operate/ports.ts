import type {
  ArmTally,
  AuditRow,
  Block,
  BlockCounts,
  CacheAuditRow,
  CacheChange,
  CacheState,
  LoadReport,
  PackageRef,
  RegistryChange,
  Result,
  Snapshot,
} from "@ledge/contract";
import type { CanaryWatch } from "@ledge/policy";

/** The registry's own object. A throw means that it cannot be reached. */
export interface RegistryPort {
  /** `changed` is false when what was asked for is so already. */
  change(change: RegistryChange, who: string): Promise<Result<{ readonly number: number; readonly changed: boolean }>>;
  snapshot(): Promise<Snapshot>;
  /** Ascending: the rows after a number, or the newest. */
  audit(query: {
    readonly model?: string;
    readonly after?: number;
    readonly limit: number;
  }): Promise<readonly AuditRow[]>;
}

/** Files of packages by their SHA-256, hex. A throw means that the store cannot be reached. */
export interface BlobStore {
  /** `undefined` when it is not there. */
  bytesOf(sha256: string): Promise<number | undefined>;
  get(sha256: string): Promise<{ readonly bytes: number; readonly body: ReadableStream<Uint8Array> } | undefined>;
  /** Its size; `undefined`, and nothing is stored, when the bytes have another SHA-256. A stream must know its length. */
  put(sha256: string, body: ReadableStream<Uint8Array> | Uint8Array | string): Promise<number | undefined>;
}

/** What a model's counter knows of its rollouts. A throw means that it cannot be reached. */
export interface RolloutCounter {
  /** The arms of a rollout by version, with what the controller of a canary remembers. */
  readRollout(
    model: string,
    id: string,
  ): Promise<{ readonly arms: Readonly<Record<string, ArmTally>>; readonly watch?: CanaryWatch }>;
  /** What a version does lately when no rollout deals its calls; `undefined` when it had none. */
  readUsual(model: string, version: string): Promise<ArmTally | undefined>;
}

/** The tier that loads packages ahead. Failures are values. */
export interface Loader {
  load(model: PackageRef, deadlineMs: number): Promise<Result<LoadReport>>;
  unload(model: PackageRef, deadlineMs: number): Promise<Result<{ readonly unloaded: boolean }>>;
}

/** What became of a change of the cache's rules. */
export interface CacheDone {
  /** The rules' number after it. */
  readonly number: number;
  /** False when what was asked for is so already. */
  readonly changed: boolean;
  /** Whether gateways can read it already; if not, they soon can. */
  readonly published: boolean;
}

/** A key of a tenant's kept answers, without what it is made from. */
export interface KeySummary {
  readonly id: number;
  readonly createdAtMs: number;
}

/** The object that keeps the cache's rules. A throw means that it cannot be reached. */
export interface CacheKeeperPort {
  change(change: CacheChange, who: string): Promise<Result<CacheDone>>;
  state(): Promise<CacheState>;
  /** The last hundred, ascending. */
  changes(): Promise<readonly CacheAuditRow[]>;
  /** Newest first; none before the tenant's first call. */
  keys(tenant: string): Promise<readonly KeySummary[]>;
}

/** Who is blocked. A throw means that the list cannot be reached. */
export interface BlockList {
  /** Newest first: those that last, or with `all` those that have ended too. */
  list(all: boolean, limit: number): Promise<readonly Block[]>;
  /** Whether it was blocked. */
  lift(subject: string, by: string): Promise<boolean>;
  counts(): Promise<BlockCounts>;
}
