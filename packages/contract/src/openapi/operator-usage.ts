import { admitting, always, type Operation, operating, reading } from "./operation.ts";
import { operation } from "./operator.ts";
import { reportQuery } from "./query.ts";

/** What tenants' ledgers say: to tenants themselves, and to the operator. */

const ledgers = [...operating, "ledger_unavailable"] as const;
const asking = [...ledgers, "invalid_request"] as const;

/** What tenants and the operator may ask of usage. */
export const usageOperations: readonly Operation[] = [
  {
    method: "get",
    path: "/v1/usage",
    id: "usage",
    surface: "Ledge",
    summary:
      "What your own key or user used, or, with a scope for `admin-read`, your tenant; and what is left of its quotas.",
    query: reportQuery,
    credential: "caller",
    answers: { 200: { description: "The report; with `format=csv` as text/csv.", schema: "UsageAnswer" } },
    errors: [...admitting, "invalid_request", "ledger_unavailable"],
  },
  operation({
    method: "get",
    scope: "usage:read",
    path: "/usage",
    id: "reportUsage",
    summary: "Calls, tokens, money, latency, and what cache and edge saved, of all tenants.",
    query: reportQuery,
    answers: { 200: { description: "The report; with `format=csv` as text/csv.", schema: "UsageAnswer" } },
    errors: asking,
  }),
  operation({
    method: "get",
    scope: "usage:read",
    path: "/events",
    id: "listEvents",
    summary: "Events of quotas, newest last.",
    query: ["tenant", "limit"],
    answers: { 200: { description: "The events.", schema: "EventsAnswer" } },
    errors: asking,
  }),
  operation({
    method: "get",
    scope: "usage:read",
    path: "/ledger/rows",
    id: "listLedgerRows",
    summary:
      "A tenant's calls, a row each, oldest first. The query: `tenant`, `after` (the `next` of the page before), `limit`.",
    answers: { 200: { description: "The rows.", schema: "LedgerRowsAnswer" } },
    errors: asking,
  }),
  operation({
    method: "post",
    scope: "usage:write",
    path: "/ledger/reconcile",
    id: "reconcileLedger",
    summary: "Fill in from the origin's journal the calls that no isolate told of.",
    request: { schema: "ReconcileRequest", example: { tenant: "acme" } },
    answers: { 200: { description: "What was filled in.", schema: "ReconcileAnswer" } },
    errors: [...reading, ...ledgers],
  }),
  {
    method: "get",
    scope: "usage:read",
    path: "/admin/openapi-usage.json",
    id: "usageOpenapi",
    surface: "Operator",
    summary: "This description.",
    answers: { 200: { description: "OpenAPI 3.1." } },
    errors: ["operator_unavailable", ...always],
  },
];
