import * as z from "zod/mini";
import * as admin from "../admin.ts";
import { cacheFeedbackAnswer, cacheFeedbackRequest, cachePolicy, purgeRequest } from "../cache.ts";
import * as cacheAdmin from "../cache-admin.ts";
import { chatRequest } from "../chat.ts";
import { embeddingsRequest } from "../embeddings.ts";
import { type ErrorCode, errors } from "../errors.ts";
import { generateRequest } from "../generate.ts";
import { inferRequest } from "../infer.ts";
import { job, jobs } from "../job.ts";
import { modelManifest } from "../manifest.ts";
import { prediction, predictRequest } from "../predict.ts";
import { registeredModel, registeredVersion } from "../registry.ts";
import { indexRequest, loadRequest } from "../repository.ts";
import { feedbackRequest, rollout, rolloutArm, rolloutLimits, startRolloutRequest } from "../rollout.ts";
import { estimate, feedbackAnswer, latencyEstimate, rolloutReport } from "../rollout-report.ts";
import * as admins from "../tenancy/admins.ts";
import * as audit from "../tenancy/audit.ts";
import { blocksAnswer, liftAnswer, liftRequest } from "../tenancy/blocks.ts";
import * as keys from "../tenancy/keys.ts";
import { limits, quotas } from "../tenancy/limits.ts";
import { scope } from "../tenancy/scopes.ts";
import * as tenants from "../tenancy/tenants.ts";
import * as terms from "../tenancy/terms.ts";
import * as termsAdmin from "../tenancy/terms-admin.ts";
import { ledgerRow } from "../tenancy/usage.ts";
import * as usage from "../tenancy/usage-report.ts";
import * as bodies from "./bodies.ts";

/** The schemas that the description names. */
const named = {
  PredictRequest: predictRequest,
  PredictResponse: bodies.predictResponse,
  Job: job,
  Jobs: jobs,
  Prediction: prediction,
  ChatRequest: chatRequest,
  ChatCompletion: bodies.chatCompletion,
  ChatChunk: bodies.chatChunk,
  EmbeddingsRequest: embeddingsRequest,
  Embeddings: bodies.embeddings,
  OpenAiModel: bodies.openAiModel,
  OpenAiModels: bodies.openAiModels,
  ErrorCode: bodies.errorCode,
  OpenAiError: bodies.openAiError,
  InferRequest: inferRequest,
  OipServer: bodies.oipServer,
  OipModels: bodies.oipModels,
  OipModel: bodies.oipModel,
  OipInference: bodies.oipInference,
  OipConfig: bodies.oipConfig,
  OipStatistics: bodies.oipStatistics,
  OipIndexRequest: indexRequest,
  OipIndex: bodies.oipIndex,
  OipLoadRequest: loadRequest,
  GenerateRequest: generateRequest,
  Generated: bodies.generated,
  OipError: bodies.oipError,
  Live: bodies.live,
  Alive: bodies.alive,
  Ready: bodies.ready,
  ModelReady: bodies.modelReady,
  BlocksAnswer: blocksAnswer,
  LiftRequest: liftRequest,
  LiftAnswer: liftAnswer,
  BlobAnswer: admin.blobAnswer,
  RegisterRequest: admin.registerRequest,
  RegisterAnswer: admin.registerAnswer,
  ModelManifest: modelManifest,
  Rollout: rollout,
  RolloutArm: rolloutArm,
  RolloutLimits: rolloutLimits,
  StartRolloutRequest: startRolloutRequest,
  Estimate: estimate,
  LatencyEstimate: latencyEstimate,
  RolloutReport: rolloutReport,
  FeedbackRequest: feedbackRequest,
  FeedbackAnswer: feedbackAnswer,
  CacheFeedbackRequest: cacheFeedbackRequest,
  CacheFeedbackAnswer: cacheFeedbackAnswer,
  RegisteredVersion: registeredVersion,
  RegisteredModel: registeredModel,
  ModelsAnswer: admin.modelsAnswer,
  PointRequest: admin.pointRequest,
  VersionPolicy: admin.policyRequest,
  RemovedVersion: admin.removedAnswer,
  CachePolicy: cachePolicy,
  PurgeRequest: purgeRequest,
  CacheAnswer: cacheAdmin.cacheAnswer,
  CacheAuditRow: cacheAdmin.cacheAuditRow,
  CacheChanged: cacheAdmin.cacheChanged,
  CacheKeysAnswer: cacheAdmin.cacheKeysAnswer,
  NewKeyRequest: keys.newKeyRequest,
  NewOwnKeyRequest: keys.newOwnKeyRequest,
  NewCertificateRequest: keys.newCertificateRequest,
  NewKeyAnswer: keys.newKeyAnswer,
  KeyAnswer: keys.keyAnswer,
  KeysAnswer: keys.keysAnswer,
  RotateKeyRequest: keys.rotateKeyRequest,
  RevokedKey: keys.revokedKey,
  Scope: scope,
  Limits: limits,
  Quotas: quotas,
  NewTenantRequest: tenants.newTenantRequest,
  TenantSettings: tenants.tenantSettings,
  TenantAnswer: tenants.tenantAnswer,
  TenantsAnswer: tenants.tenantsAnswer,
  DeletedTenant: tenants.deletedTenant,
  MergePatch: tenants.mergePatchRequest,
  WebhookRequest: tenants.webhookRequest,
  WebhookAnswer: tenants.webhookAnswer,
  ProjectRequest: tenants.projectRequest,
  Project: tenants.project,
  ProjectsAnswer: tenants.projectsAnswer,
  MemberRequest: tenants.memberRequest,
  Member: tenants.member,
  MembersAnswer: tenants.membersAnswer,
  Removed: tenants.removed,
  Plan: terms.plan,
  ServiceTier: terms.tier,
  ModelTerms: terms.modelTerms,
  Price: terms.price,
  Prices: termsAdmin.prices,
  Terms: terms.terms,
  NewAdminRequest: admins.newAdminRequest,
  NewAdminAnswer: admins.newAdminAnswer,
  AdminAnswer: admins.adminAnswer,
  AdminsAnswer: admins.adminsAnswer,
  RevokedAdmin: admins.revokedAdmin,
  ChainedRow: audit.chainedRow,
  AuditAnswer: audit.auditAnswer,
  UsageLine: usage.usageLine,
  QuotaState: usage.quotaState,
  UsageAnswer: usage.usageAnswer,
  LedgerEvent: usage.ledgerEvent,
  EventsAnswer: usage.eventsAnswer,
  LedgerRow: ledgerRow,
  LedgerRowsAnswer: usage.ledgerRowsAnswer,
  ReconcileRequest: usage.reconcileRequest,
  ReconcileAnswer: usage.reconcileAnswer,
  Problem: bodies.problem,
} as const satisfies Record<string, z.ZodMiniType>;

export type SchemaName = keyof typeof named;

export function schemaRef(name: SchemaName): { readonly $ref: string } {
  return { $ref: `#/components/schemas/${name}` };
}

/**
 * JSON Schemas (draft 2020-12, OpenAPI 3.1's own) of every named body. Answers are read as inputs too: a member that we
 * add later must not break a client that checks them.
 */
export function namedSchemas(): Readonly<Record<string, object>> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    io: "input",
    uri: (id) => `#/components/schemas/${id}`,
    override: ({ jsonSchema }) => {
      // Every safe integer is one; saying so twice for each doubles the schema.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      // So are the names of members texts, and a format says what its pattern does.
      if (JSON.stringify(jsonSchema.propertyNames) === '{"type":"string"}') delete jsonSchema.propertyNames;
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
    },
  });
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, plain(schema)]));
}

/** The codes that may come, each with its sentence. */
export function errorCodeSchema(codes: readonly ErrorCode[]): object {
  const description = codes.map((code) => `\`${code}\`: ${errors[code].message}`).join("\n");
  return { type: "string", enum: codes, description };
}

/** `components` already gives a schema its address; `$id` would give it a second one. */
function plain({ $schema: _schema, $id: _id, ...schema }: z.core.JSONSchema.BaseSchema): object {
  return schema;
}
