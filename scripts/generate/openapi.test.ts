import { readFileSync } from "node:fs";
import { errors } from "@ledge/contract";
import {
  blockOperations,
  cacheOperations,
  inferenceOperations,
  jobOperations,
  keyOperations,
  openApiDocument,
  operations,
  operatorOperations,
  tenancyOperations,
  termsOperations,
  usageOperations,
} from "@ledge/contract/openapi";
import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it, vi } from "vitest";

const parts = [
  { file: "openapi.json", part: operations },
  { file: "openapi-inference.json", part: inferenceOperations },
  { file: "openapi-operator.json", part: operatorOperations },
  { file: "openapi-cache.json", part: cacheOperations },
  { file: "openapi-jobs.json", part: jobOperations },
  { file: "openapi-keys.json", part: keyOperations },
  { file: "openapi-tenancy.json", part: tenancyOperations },
  { file: "openapi-terms.json", part: termsOperations },
  { file: "openapi-usage.json", part: usageOperations },
  { file: "openapi-blocks.json", part: blockOperations },
].map(({ file, part }) => ({ file, part, document: JSON.parse(JSON.stringify(openApiDocument("1.2.3", part))) }));
const every = parts.flatMap(({ part }) => part);

type Table = readonly (readonly [method: string, path: string])[];

/** Every `$ref` in a value. */
function refsIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) =>
    key === "$ref" && typeof child === "string" ? [child] : refsIn(child),
  );
}

describe.each(parts)("$file", ({ file, part, document }) => {
  it("is valid OpenAPI 3.1 by the official schema", async () => {
    const validator = new Validator();
    expect(await validator.validate(structuredClone(document))).toEqual({ valid: true });
    expect(validator.version).toBe("3.1");
  });

  it("carries the version of package.json", () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    const committed = JSON.parse(readFileSync(new URL(`../../${file}`, import.meta.url), "utf8"));
    expect(committed.info.version).toBe(version);
    expect(document.info.version).toBe("1.2.3");
  });

  it("refers to nothing that is not there, and holds nothing that nobody refers to", () => {
    const refs = new Set(refsIn(document));
    const there = ["parameters", "headers", "responses", "schemas"].flatMap((kind) =>
      Object.keys(document.components[kind] ?? {}).map((name) => `#/components/${kind}/${name}`),
    );
    expect([...refs].toSorted()).toEqual(there.toSorted());
  });

  it("says the sentence of every code that its routes may answer", () => {
    const { description } = document.components.schemas.ErrorCode;
    for (const code of part.flatMap((operation) => operation.errors)) {
      expect(description).toContain(`\`${code}\`: ${errors[code].message}`);
    }
  });

  it.each(part)(
    "answers $method $path's errors in the shape of its surface",
    ({ method, path, errors: codes, answers }) => {
      const operation = document.paths[path][method];
      for (const code of codes) {
        const { status } = errors[code];
        if (status in answers) continue;
        const name = operation.responses[status].$ref.split("/").at(-1);
        const response = document.components.responses[name];
        const [mediaType] = Object.keys(response.content);
        expect(response.description).toContain(`\`${code}\``);
        expect(mediaType).toBe(
          /^\/v2|^\/v1\/(?:chat|models|embeddings)/.test(path) ? "application/json" : "application/problem+json",
        );
      }
    },
  );

  it("takes at most 40 KiB of what the operator Worker carries", () => {
    expect(JSON.stringify(document).length).toBeLessThanOrEqual(40 * 1024);
  });
});

describe("the descriptions together", () => {
  it("describes exactly the routes that the gateway and the operator Worker have", async () => {
    // By text, because the gateway's sources compile with the types of Workers, and this file with Node's.
    const { routes } = await vi.importActual<{ routes: Table }>("../../workers/gateway/src/routes.ts");
    const { operatorRoutes } = await vi.importActual<{ operatorRoutes: Table }>(
      "../../workers/gateway/src/operator-routes.ts",
    );
    const served = new Set(
      [...routes, ...operatorRoutes]
        .filter(([method]) => method !== "ALL")
        .map(([method, path]) => `${method} ${path}`),
    );
    const described = every.map(
      ({ method, path }) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ":$1")}`,
    );
    expect(described.toSorted()).toEqual([...served].toSorted());
  });

  it("say the sentence of every code", () => {
    const said = parts.map(({ document }) => document.components.schemas.ErrorCode.description).join("\n");
    for (const [code, { message }] of Object.entries(errors)) expect(said).toContain(`\`${code}\`: ${message}`);
  });

  it("give every operation an id of its own", () => {
    expect(new Set(every.map(({ id }) => id)).size).toBe(every.length);
  });
});
