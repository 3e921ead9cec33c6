import type { DirectoryChange, Result } from "@ledge/contract";
import { adminStep } from "./directory-admins.ts";
import { keyStep } from "./directory-keys.ts";
import { memberStep } from "./directory-members.ts";
import { tenantStep } from "./directory-tenants.ts";
import { termsStep } from "./directory-terms.ts";
import type { DirectoryStep, DirectoryView } from "./directory-view.ts";

/**
 * Decides a change of the directory. Errors: `invalid_request` for what contradicts itself; `…_not_found` for what a change
 * needs; `scope_denied`; `directory_conflict`. Nothing is changed then.
 */
export function directoryStep(view: DirectoryView, change: DirectoryChange, nowMs: number): Result<DirectoryStep> {
  switch (change.kind) {
    case "create-tenant":
    case "change-tenant":
    case "suspend-tenant":
    case "resume-tenant":
    case "delete-tenant":
    case "set-webhook":
      return tenantStep(view, change, nowMs);
    case "set-project":
    case "remove-project":
    case "set-member":
      return memberStep(view, change, nowMs);
    case "issue-key":
    case "change-key":
    case "rotate-key":
    case "revoke-key":
      return keyStep(view, change, nowMs);
    case "set-plan":
    case "set-tier":
    case "set-model-terms":
    case "set-prices":
      return termsStep(view, change);
    case "create-admin":
    case "revoke-admin":
      return adminStep(view, change, nowMs);
  }
}
