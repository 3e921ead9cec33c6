import type {
  AuditRow,
  DirectoryAdmin,
  DirectoryKey,
  DirectoryMember,
  DirectoryProject,
  DirectoryTenant,
  Terms,
} from "@ledge/contract";

/** What of the directory a change may be about. It is looked up, since nobody holds a million keys in memory. */
export interface DirectoryView {
  tenant(name: string): DirectoryTenant | undefined;
  /** Whether a tenant of the name was deleted, and not made again. */
  wasDeleted(name: string): boolean;
  project(tenant: string, project: string): DirectoryProject | undefined;
  member(tenant: string, user: string): DirectoryMember | undefined;
  members(tenant: string): readonly DirectoryMember[];
  key(id: string): DirectoryKey | undefined;
  /** That are not revoked, of a tenant, and of a member or a project of it. */
  keysOf(tenant: string, of?: { readonly user?: string; readonly project?: string }): readonly DirectoryKey[];
  /** Some tenant of a plan; some key of a tier that is not revoked. */
  tenantOn(plan: string): string | undefined;
  keyOn(tier: string): string | undefined;
  admin(name: string): DirectoryAdmin | undefined;
  terms(): Terms;
}

/** `null`: gone, with all that was a tenant's own. */
export type DirectoryWrite =
  | { readonly entry: "tenant"; readonly tenant: string; readonly is: DirectoryTenant | null }
  | {
      readonly entry: "project";
      readonly tenant: string;
      readonly project: string;
      readonly is: DirectoryProject | null;
    }
  | { readonly entry: "member"; readonly tenant: string; readonly user: string; readonly is: DirectoryMember | null }
  | { readonly entry: "key"; readonly is: DirectoryKey }
  | { readonly entry: "terms"; readonly is: Terms }
  | { readonly entry: "admin"; readonly is: DirectoryAdmin };

export type DirectoryAudit = Omit<AuditRow, "number" | "atMs" | "who" | "model">;

/** What a change writes, and the rows that the audit gets of it: none when what was asked for is so already. */
export interface DirectoryStep {
  readonly writes: readonly DirectoryWrite[];
  readonly audit: readonly DirectoryAudit[];
}

export const nothing: DirectoryStep = { writes: [], audit: [] };
