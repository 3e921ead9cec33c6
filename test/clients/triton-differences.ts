/** Where Ledge answers otherwise than Triton, check by check, and why. docs/compatibility.md tells it in words. */
export const differences: Readonly<Record<string, string>> = {
  extensions_that_only_a_server_of_its_own_has: "each names what it has",
  infer_bf16_for_fp32: "BF16 is taken where a model takes FP32",
  bodies_that_cannot_be_read: "a broken body is the caller's fault, 400, not the server's, 500",
  get_inference_statistics_of_an_unknown_model: "an unknown model is a 404 everywhere",
  unload_an_unknown_model: "unloading an unknown model is a 404, not a success",
  shared_memory: "there is none",
  infer_from_shared_memory: "there is none",
  trace_and_log_settings: "there are none",
};
