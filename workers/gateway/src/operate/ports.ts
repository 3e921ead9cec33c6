import type {
  ArmTally,
  AuditRow,
  Block,
  BlockCounts,
  CacheAuditRow,
  CacheChange,
  CacheState,
  DirectoryAdmin,
  DirectoryChange,
  DirectoryKey,
  DirectoryMember,
  DirectoryProject,
  DirectoryTenant,
  LedgerEvent,
  LedgerRow,
  LoadReport,
  PackageRef,
  ReconcileAnswer,
  RegistryChange,
  Result,
  Snapshot,
  Terms,
} from "@ledge/contract";
import type { CanaryWatch } from "@ledge/policy";
import type { TenantUsage } from "../ports.ts";
import type { UsageQuery } from "../usage-query.ts";

/** An audit, which each object of the operator's keeps of its own changes. A throw means that it cannot be reached. */
export interface AuditReader {
  /** Ascending: the rows after a number, or the newest; of a model or another scope, or of all. */
  audit(query: {
    readonly about?: string;
    readonly after?: number;
    readonly limit: number;
  }): Promise<readonly (AuditRow & { readonly hash: string })[]>;
}

/** The registry's own object. A throw means that it cannot be reached. */
export interface RegistryPort {
  /** `changed` is false when what was asked for is so already. */
  change(change: RegistryChange, who: string): Promise<Result<{ readonly number: number; readonly changed: boolean }>>;
  snapshot(): Promise<Snapshot>;
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

/** The ledgers of all tenants. A throw means that one cannot be reached. */
export interface LedgersPort {
  /** That have one. */
  tenants(): Promise<readonly string[]>;
  usage(tenant: string, query: UsageQuery): Promise<TenantUsage>;
  /** Rows after a place, `<at_ms>:<id>`, oldest first. */
  rows(tenant: string, after: string, limit: number): Promise<readonly LedgerRow[]>;
  /** The newest, oldest of them first. */
  events(tenant: string, limit: number): Promise<readonly LedgerEvent[]>;
  /** Fills in from the origin's journal what no isolate told. */
  reconcile(tenant: string): Promise<ReconcileAnswer>;
}

/** What became of a change of the directory. */
export interface DirectoryDone {
  /** False when what was asked for is so already. */
  readonly changed: boolean;
  /** Whether gateways can read it already; if not, they soon can. */
  readonly published: boolean;
  /** Ids of keys that ended with it. */
  readonly ended: readonly string[];
}

/** A tenant, and how much of it there is; revoked keys are not counted. */
export interface TenantFacts extends DirectoryTenant {
  readonly projects: number;
  readonly members: number;
  readonly keys: number;
}

/** The object that keeps the directory, to change it. A throw means that it cannot be reached. */
export interface DirectoryWriter {
  change(change: DirectoryChange, who: string): Promise<Result<DirectoryDone>>;
}

/** What of it the desk for tenants asks. Lists ascend, after a name. `undefined`: there is no such tenant. */
export interface TenantReader {
  tenant(name: string): Promise<TenantFacts | undefined>;
  tenants(after: string, limit: number): Promise<readonly TenantFacts[]>;
  projects(tenant: string): Promise<readonly DirectoryProject[] | undefined>;
  members(tenant: string): Promise<readonly DirectoryMember[] | undefined>;
  /** Where a tenant's events go, and what signs them. */
  webhook(tenant: string): Promise<{ readonly url: string; readonly secret: string } | undefined>;
}

export interface KeyReader {
  key(id: string): Promise<DirectoryKey | undefined>;
  keys(filter: {
    readonly tenant?: string;
    readonly project?: string;
    readonly user?: string;
    /** Revoked ones too. */
    readonly revoked?: boolean;
    readonly after?: string;
    readonly limit?: number;
  }): Promise<readonly DirectoryKey[]>;
}

export interface TermsReader {
  terms(): Promise<Terms>;
}

export interface AdminReader {
  admins(): Promise<readonly DirectoryAdmin[]>;
  /** By the keyed hash of its key, hex. */
  adminByHash(hash: string): Promise<DirectoryAdmin | undefined>;
}

/** Ends what isolates still hold of a key, so that none goes on with it. Once is enough. A throw: it may go on until KV is heard. */
export interface KeyCloser {
  /** `key:<id>`. */
  close(subject: string): Promise<void>;
}

/** When keys were used last, as far as whoever counts calls knows: milliseconds since 1970, to the hour. A throw: unknown. */
export interface KeyUse {
  lastUsed(tenant: string, ids: readonly string[]): Promise<Readonly<Record<string, number>>>;
}

/** Who is blocked. A throw means that the list cannot be reached. */
export interface BlockList {
  /** Newest first: those that last, or with `all` those that have ended too. */
  list(all: boolean, limit: number): Promise<readonly Block[]>;
  /** Whether it was blocked. */
  lift(subject: string, by: string): Promise<boolean>;
  counts(): Promise<BlockCounts>;
}
