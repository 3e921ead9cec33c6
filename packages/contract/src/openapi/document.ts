import { type ErrorCode, errors } from "../errors.ts";
import {
  answerHeaders,
  errorHeaders,
  headerComponents,
  parameterComponents,
  parametersOf,
  saysCache,
} from "./headers.ts";
import type { Answer, Operation, Surface } from "./operation.ts";
import { errorCodeSchema, namedSchemas, type SchemaName, schemaRef } from "./schemas.ts";
import { type Answering, sharedAnswers } from "./shared-answers.ts";
import { usedComponents } from "./used-components.ts";

const description = `One API for an organisation's own models, small ones at the edge and large ones at its origin.
Every failure carries a stable code. A path that takes another method answers 405 \`method_not_allowed\`, an unknown path
404 \`not_found\`, each in the error shape of its surface.`.replaceAll("\n", " ");

/** An OpenAPI 3.1 description of some of the gateway's routes, made from the schemas that it checks requests with. */
export function openApiDocument(version: string, operations: readonly Operation[]): object {
  const paths: Record<string, Record<string, Answering>> = {};
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: operationObject(operation) };
  }
  const shared = sharedAnswers(Object.values(paths).flatMap((path) => Object.values(path)));
  const components = {
    parameters: parameterComponents,
    headers: headerComponents,
    responses: { ...errorResponses(operations), ...shared },
    schemas: { ...namedSchemas(), ErrorCode: errorCodeSchema(codesOf(operations)) },
  };
  return {
    openapi: "3.1.0",
    info: { title: "Ledge", version, description, license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
    servers: [{ url: "/" }],
    tags: [...new Set(operations.map(({ surface }) => surface))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        caller: { type: "http", scheme: "bearer", description: "An API key, or a JWT of the organisation's issuer." },
        operator: { type: "http", scheme: "bearer", description: "A key of the operator's with the scope." },
      },
      ...usedComponents(components, paths),
    },
  };
}

/** In the order of the table; any path may answer the last two. */
function codesOf(operations: readonly Operation[]): readonly ErrorCode[] {
  const possible = new Set<ErrorCode>(["not_found", "method_not_allowed"]);
  for (const { errors: codes, tells = [] } of operations) for (const code of [...codes, ...tells]) possible.add(code);
  return Object.keys(errors).filter((code): code is ErrorCode => possible.has(code as ErrorCode));
}

function operationObject(operation: Operation): Answering {
  const { id, surface, summary, credential, scope, request } = operation;
  const parameters = parametersOf(operation);
  return {
    operationId: id,
    tags: [surface],
    summary,
    security: credential === undefined ? [] : [{ [credential]: scope === undefined ? [] : [scope] }],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(request === undefined ? {} : { requestBody: requestBody(request) }),
    responses: responsesOf(operation),
  };
}

function requestBody(request: NonNullable<Operation["request"]>): object {
  if ("bytes" in request) return { required: true, content: bytesContent };
  const { schema, example, binary } = request;
  const json = { "application/json": { schema: schemaRef(schema), example } };
  return { required: true, content: { ...json, ...(binary === true ? bytesContent : {}) } };
}

const bytesContent = { "application/octet-stream": {} };

/** Answers first; a status that is answered, as 503 of `/readyz`, is no error there. */
function responsesOf(operation: Operation): Answering["responses"] {
  const { surface, answers, errors: codes } = operation;
  const responses: Record<string, object> = {};
  for (const [status, answer] of Object.entries(answers)) responses[status] = answerObject(operation, answer);
  if (saysCache(operation)) {
    responses[304] = { description: "The answer is the one of If-None-Match.", headers: answerHeaders(operation) };
  }
  for (const status of statusesOf(codes)) {
    responses[status] ??= { $ref: `#/components/responses/${responseName(surface, status)}` };
  }
  return responses;
}

function answerObject(operation: Operation, answer: Answer): object {
  const said = { description: answer.description, headers: answerHeaders(operation) };
  return answer.empty === true ? said : { ...said, content: contentOf(operation, answer) };
}

function contentOf({ events }: Operation, { schema, example, bytes, mediaType, binary, whole }: Answer): object {
  if (bytes === true) return bytesContent;
  if (mediaType !== undefined) return { [mediaType]: {} };
  const json = {
    schema: schema === undefined ? {} : schemaRef(schema),
    ...(example === undefined ? {} : { example }),
  };
  return {
    "application/json": json,
    ...(binary === true ? bytesContent : {}),
    ...streamContent(whole === true ? undefined : events),
  };
}

/** OpenAPI 3.1 has no word for the events of a stream; `contentSchema` says what each one's data holds. */
function streamContent(events: SchemaName | undefined): object {
  if (events === undefined) return {};
  const text =
    "Server-sent events. Each `data` is one chunk, the last is `[DONE]`. A stream that dies says so in an event with " +
    "an error object, and never ends with `[DONE]`.";
  const schema = {
    type: "string",
    description: text,
    contentMediaType: "application/json",
    contentSchema: schemaRef(events),
  };
  return { "text/event-stream": { schema } };
}

interface ErrorShape {
  readonly name: string;
  readonly mediaType: string;
  readonly schema: SchemaName;
}

const problem: ErrorShape = { name: "Problem", mediaType: "application/problem+json", schema: "Problem" };
const shapes: Readonly<Record<Surface, ErrorShape>> = {
  Ledge: problem,
  Operator: problem,
  Operations: problem,
  OpenAI: { name: "OpenAi", mediaType: "application/json", schema: "OpenAiError" },
  "Open Inference Protocol": { name: "Oip", mediaType: "application/json", schema: "OipError" },
};

function responseName(surface: Surface, status: number): string {
  return `${shapes[surface].name}${status}`;
}

/** One response for each error shape and status, naming the codes that may stand in it. */
function errorResponses(operations: readonly Operation[]): Readonly<Record<string, object>> {
  const codes = new Map<string, { shape: ErrorShape; status: number; codes: Set<ErrorCode> }>();
  for (const { surface, errors: possible } of operations) {
    for (const code of possible) {
      const { status } = errors[code];
      const name = responseName(surface, status);
      const known = codes.get(name) ?? { shape: shapes[surface], status, codes: new Set() };
      codes.set(name, { ...known, codes: known.codes.add(code) });
    }
  }
  return Object.fromEntries([...codes].map(([name, entry]) => [name, errorResponse(entry)]));
}

function errorResponse({ shape, status, codes }: { shape: ErrorShape; status: number; codes: Set<ErrorCode> }): object {
  const named = [...codes].sort().map((code) => `\`${code}\``);
  const retryable = [...codes].some((code) => errors[code].retryable);
  return {
    description: `${named.join(", ")}.`,
    headers: errorHeaders(status, retryable),
    content: { [shape.mediaType]: { schema: schemaRef(shape.schema) } },
  };
}

function statusesOf(codes: readonly ErrorCode[]): readonly number[] {
  return [...new Set(codes.map((code) => errors[code].status))].sort((a, b) => a - b);
}
