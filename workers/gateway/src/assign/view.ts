import type { RegisteredModel, Snapshot } from "@ledge/contract";
import { callableVersions } from "@ledge/policy";
import type { DeployedModel } from "../exchange.ts";

export interface CatalogModel {
  readonly model: RegisteredModel;
  /** By number, in the order of registration: the versions that can be called. */
  readonly callable: ReadonlyMap<string, DeployedModel>;
}

/** A snapshot with what every call asks of it worked out once. */
export interface CatalogView {
  readonly snapshot: Snapshot;
  readonly models: ReadonlyMap<string, CatalogModel>;
}

export function viewOf(snapshot: Snapshot): CatalogView {
  const models = Object.values(snapshot.models).map((model) => [model.name, catalogModelOf(model)] as const);
  return { snapshot, models: new Map(models) };
}

function catalogModelOf(model: RegisteredModel): CatalogModel {
  const { name } = model;
  const wanted = callableVersions(model);
  const callable = model.versions
    .filter(({ version }) => wanted.has(version))
    .map(({ version, digest, manifest }) => [version, { name, version, digest, manifest }] as const);
  return { model, callable: new Map(callable) };
}

/** Every version that can be called. */
export function deployedModels({ models }: CatalogView): readonly DeployedModel[] {
  return [...models.values()].flatMap(({ callable }) => [...callable.values()]);
}

/** The version of each model that answers its bare name. */
export function stableModels({ models }: CatalogView): readonly DeployedModel[] {
  return [...models.values()].flatMap(({ model, callable }) => callable.get(model.stable) ?? []);
}
