import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startEdge, type TestEdge } from "../support/ledge.ts";
import { hasPython, needsPython } from "./python.ts";
import { exerciseLedge, type Seen } from "./triton-exercise.ts";

/**
 * `tritonclient[http]` from PyPI, unmodified, exercises every method it has (test/clients/triton). How Triton itself answers
 * the same script is compared by `npm run test:triton`; docs/compatibility.md lists the differences.
 */

let edge: TestEdge;
let seen: Seen;

const python = await hasPython();

beforeAll(async () => {
  if (!python) return;
  edge = await startEdge();
  seen = await exerciseLedge(edge);
}, 600_000);
afterAll(() => edge?.close());

const sum = { dtype: "float32", shape: [2, 4], data: [2, 3, 4, 5.5, 2, 1, 2.25, 102] };
const difference = { dtype: "float32", shape: [2, 4], data: [0, 1, 2, 3.5, -2, -3, -1.75, 98] };
const both = [sum, difference];
const wide = "read as doubles here; infer_wide_integers compares them in Python";

const echoed = {
  BOOL: ["bool", [true, false]],
  UINT8: ["uint8", [0, 255]],
  UINT16: ["uint16", [0, 65_535]],
  UINT32: ["uint32", [0, 4_294_967_295]],
  UINT64: ["uint64", [0, Number.MAX_SAFE_INTEGER]],
  INT8: ["int8", [-128, 127]],
  INT16: ["int16", [-32_768, 32_767]],
  INT32: ["int32", [-2_147_483_648, 2_147_483_647]],
  INT64: ["int64", [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]],
  FP16: ["float16", [0.5, -65_504]],
  FP32: ["float32", [Math.fround(0.1), Math.fround(-3.4e38)]],
  FP64: ["float64", [0.1, -1e300]],
  BYTES: ["object", ["", "naïve ☃ \u{1f600}"]],
} as const;
const everyDatatype = Object.fromEntries(
  Object.entries(echoed).map(([name, [dtype, data]]) => [name, { dtype, shape: [1, 2], data }]),
);

describe.skipIf(!python)(`tritonclient.http, unmodified (${needsPython})`, () => {
  test("finds the server live and ready, with the extensions that are there and none that are not", () => {
    expect(seen).toMatchObject({ is_server_live: true, is_server_ready: true });
    expect(seen.get_server_metadata).toHaveLength(6);
    expect(seen.extensions_that_only_a_server_of_its_own_has).toEqual(["generate"]);
  });

  test("loads models with inline config and files, and finds them in the index", () => {
    expect(seen.load_model_with_config_and_files).toBe("loaded");
    expect(seen.get_model_repository_index).toEqual([
      ["echo", "1", "READY"],
      ["pair", "1", "READY"],
    ]);
  });

  test("is refused a model that cannot be read, or that comes without its files", () => {
    expect(seen.load_model_needs_the_files_with_a_config_that_can_be_read).toEqual([true, true, true]);
  });

  test("finds models and versions ready, and unknown ones not", () => {
    expect(seen.is_model_ready).toEqual([true, true, false, false]);
    expect(seen.get_model_metadata_of_an_unknown_model).toEqual(["404", "404"]);
  });

  test("reads metadata and configuration", () => {
    const tensors = (...names: string[]) => names.map((name) => ({ name, datatype: "FP32", shape: [-1, 4] }));
    expect(seen.get_model_metadata).toEqual(["pair", ["1"], tensors("a", "b"), tensors("sum", "difference")]);
    const configured = (...names: string[]) => names.map((name) => ({ name, data_type: "TYPE_FP32", dims: [4] }));
    expect(seen.get_model_config).toEqual(["pair", 8, configured("a", "b"), configured("sum", "difference")]);
  });

  test.each([
    "infer_binary",
    "infer_json",
    "infer_with_one_input_of_each_form",
    "infer_with_parameters",
    "infer_in_a_sequence_of_a_model_that_has_none",
    "infer_with_query_parameters",
    "aio_infer",
  ])("%s gives the right numbers", (name) => {
    expect(seen[name]).toEqual(both);
  });

  test("infers asynchronously, and by bodies it makes and parses itself", () => {
    expect(seen.async_infer).toEqual([both, both, both, both]);
    expect(seen.generate_request_body_and_parse_response_body).toEqual([200, both]);
  });

  test("gets the outputs it asks for, and its id back", () => {
    expect(seen.infer_gives_the_outputs_asked_for).toEqual(["difference"]);
    expect(seen.infer_a_version_with_an_id).toEqual(["my-id", "pair", "1"]);
  });

  test("sends requests as they are, gzip or deflate, and gets answers as they are, gzip or deflate", () => {
    const compressed = Object.values(seen.infer_compressed as object);
    expect([...compressed, ...(seen.infer_a_large_tensor_compressed as unknown[])]).toEqual(Array(11).fill(true));
  });

  test.each(["infer_every_datatype_binary", "infer_every_datatype_json"])(
    "%s: each comes back as it went in",
    (name) => {
      expect(seen[name]).toEqual(everyDatatype);
    },
  );

  test(`64-bit integers come back in all their digits (${wide})`, () => {
    expect(seen.infer_wide_integers_binary).toBe(true);
  });

  test("sends numpy strings, and BF16 where a model takes FP32", () => {
    expect(seen.infer_bytes_of_numpy_strings).toEqual({ dtype: "object", shape: [1, 1], data: ["one"] });
    expect(seen.infer_bf16_for_fp32).toEqual({ dtype: "float32", shape: [1, 2], data: [1.5, -2] });
  });

  test("gets the best classes of each row, in both forms, and no more than there are", () => {
    const best = { dtype: "object", shape: [2, 2], data: ["5.500000:3", "4.000000:2", "102.000000:3", "2.250000:2"] };
    const rows = ["3.500000:3", "2.000000:2", "1.000000:1", "0.000000:0"];
    const all = {
      dtype: "object",
      shape: [2, 4],
      data: [...rows, "98.000000:3", "-1.750000:2", "-2.000000:0", "-3.000000:1"],
    };
    expect(seen.infer_classes).toEqual({ binary: [best, all], json: [best, all] });
  });

  test("a body without JSON is the model's one tensor, or is refused when it does not fit", () => {
    const text = { dtype: "object", shape: [1, 1], data: ["a text"] };
    expect(seen.raw_binary_body).toEqual([{ dtype: "float32", shape: [1, 3], data: [1, 2, 3] }, text]);
    expect(seen.raw_binary_body_that_does_not_fit).toEqual([400, 400]);
  });

  test("what is wrong with a request is a 400 or a 404 that says what", () => {
    const { "an unknown model": model, "an unknown version": version, ...rest } = seen.refusals as Seen;
    expect([model, version]).toEqual(["404", "404"]);
    expect(new Set(Object.values(rest))).toEqual(new Set(["400"]));
    expect(new Set(Object.values(seen.bodies_that_cannot_be_read as object))).toEqual(new Set([400]));
  });

  test("statistics count rows, runs and cache hits as Triton does", () => {
    expect(seen.get_inference_statistics).toEqual({
      success: 3,
      fail: 0,
      queue: 3,
      cache_hit: 2,
      cache_miss: 1,
      inference_count: 2,
      execution_count: 1,
    });
    expect(seen.get_inference_statistics_of_all_models_and_of_a_version).toEqual([true, [["pair", "1"]]]);
    expect(seen.get_inference_statistics_of_an_unknown_model).toBe("404");
  });

  test("unloads a model, which then refuses calls, and loads it again", () => {
    expect(seen.unload_model_and_load_it_again).toEqual([false, true, true, both]);
    expect(seen.unload_model_with_dependents).toBe(false);
    expect(seen.unload_an_unknown_model).toBe("404");
  });

  test("shared memory, trace settings and log settings answer as not supported", () => {
    const answers = [seen.shared_memory, seen.trace_and_log_settings, seen.infer_from_shared_memory];
    expect(new Set(answers.flatMap((one) => Object.values(one as object)))).toEqual(new Set(["501"]));
  });
});
