"""Inference in every form that the client knows, and one that it does not: a raw body."""

import asyncio

import ml_dtypes
import numpy as np
import tritonclient.http as http
import tritonclient.http.aio as aio
from harness import URL, A, both, caller, check, client, infer, pair_inputs, post, tensor, values, B


@check
def infer_binary():
    return both(infer(pair_inputs()))


@check
def infer_json():
    outputs = [http.InferRequestedOutput(name, binary_data=False) for name in ("sum", "difference")]
    return both(infer(pair_inputs(binary=False), outputs))


@check
def infer_with_one_input_of_each_form():
    inputs = [tensor("a", A, "FP32", True), tensor("b", B, "FP32", False)]
    outputs = [http.InferRequestedOutput("difference", binary_data=True), http.InferRequestedOutput("sum", binary_data=False)]
    return both(infer(inputs, outputs))


@check
def infer_gives_the_outputs_asked_for():
    result = infer(pair_inputs(a=-A), [http.InferRequestedOutput("difference")])
    return [output["name"] for output in result.get_response()["outputs"]]


@check
def infer_a_version_with_an_id():
    response = infer(pair_inputs(), model_version="1", request_id="my-id").get_response()
    return [response[key] for key in ("id", "model_name", "model_version")]


@check
def infer_with_parameters():
    result = infer(pair_inputs(), priority=1, timeout=30_000_000, parameters={"text": "x", "number": 1, "flag": True})
    return both(result)


@check
def infer_in_a_sequence_of_a_model_that_has_none():
    return both(infer(pair_inputs(), sequence_id=7, sequence_start=True, sequence_end=True))


@check
def infer_with_query_parameters():
    return both(infer(pair_inputs(), query_params={"x": "1", "y": [1, 2]}))


@check
def infer_compressed():
    return {
        f"{request} {response}": both(infer(pair_inputs(), request_compression_algorithm=request, response_compression_algorithm=response)) == both(infer(pair_inputs()))
        for request in (None, "gzip", "deflate")
        for response in (None, "gzip", "deflate")
    }


LARGE = np.arange(2000, dtype=np.float32).reshape(1, 2000)


@check
def infer_a_large_tensor_compressed():
    def out(response):
        given = [tensor("in_FP32", LARGE, "FP32")]
        return infer(given, model="echo_fp32", request_compression_algorithm="gzip", response_compression_algorithm=response)

    return [bool((out(response).as_numpy("out_FP32") == LARGE).all()) for response in ("gzip", "deflate")]


SAMPLES = {
    "BOOL": np.array([[True, False]]),
    "UINT8": np.array([[0, 255]], dtype=np.uint8),
    "UINT16": np.array([[0, 65535]], dtype=np.uint16),
    "UINT32": np.array([[0, 4294967295]], dtype=np.uint32),
    "UINT64": np.array([[0, 2**53 - 1]], dtype=np.uint64),
    "INT8": np.array([[-128, 127]], dtype=np.int8),
    "INT16": np.array([[-32768, 32767]], dtype=np.int16),
    "INT32": np.array([[-(2**31), 2**31 - 1]], dtype=np.int32),
    "INT64": np.array([[-(2**53) + 1, 2**53 - 1]], dtype=np.int64),
    "FP16": np.array([[0.5, -65504]], dtype=np.float16),
    "FP32": np.array([[0.1, -3.4e38]], dtype=np.float32),
    "FP64": np.array([[0.1, -1e300]], dtype=np.float64),
    "BYTES": np.array([["", "na\u00efve \u2603 \U0001f600"]], dtype=np.object_),
}


def echoed(binary: bool, samples=SAMPLES) -> object:
    json_form = lambda name: binary or name != "FP16"
    inputs = [tensor(f"in_{name}", array, name, binary or name == "FP16") for name, array in samples.items()]
    outputs = [http.InferRequestedOutput(f"out_{name}", binary_data=not json_form(name) or binary) for name in samples]
    result = infer(inputs, outputs, model="echo")
    return {name: values(result.as_numpy(f"out_{name}")) for name in samples}


@check
def infer_every_datatype_binary():
    return echoed(True)


@check
def infer_every_datatype_json():
    return echoed(False)


@check
def infer_wide_integers_binary():
    """Compared here, because JSON's readers may not have all the digits."""
    wide = {"UINT64": np.array([[0, 2**64 - 1]], dtype=np.uint64), "INT64": np.array([[-(2**63), 2**63 - 1]], dtype=np.int64)}
    came = echoed(True, {**SAMPLES, **wide})
    return all(came[name] == values(array) for name, array in wide.items())


@check
def infer_bytes_of_numpy_strings():
    given = np.array([["one"]], dtype="S5")
    return values(infer([tensor("in_BYTES", given, "BYTES")], model="echo_bytes").as_numpy("out_BYTES"))


@check
def infer_bf16_for_fp32():
    given = np.array([[1.5, -2]], dtype=ml_dtypes.bfloat16)
    return values(infer([tensor("in_FP32", given, "BF16")], model="echo_fp32").as_numpy("out_FP32"))


@check
def infer_classes():
    def classes(binary):
        outputs = [http.InferRequestedOutput("sum", binary_data=binary, class_count=2), http.InferRequestedOutput("difference", binary_data=binary, class_count=9)]
        return both(infer(pair_inputs(), outputs))

    return {"binary": classes(True), "json": classes(False)}


@check
def async_infer():
    pending = [client.async_infer("pair", pair_inputs(), headers=caller()) for _ in range(4)]
    return [both(one.get_result()) for one in pending]


@check
def aio_infer():
    async def ask():
        async with aio.InferenceServerClient(url=URL) as asking:
            return await asking.infer("pair", pair_inputs(), headers=caller())

    return both(asyncio.run(ask()))


@check
def generate_request_body_and_parse_response_body():
    body, length = http.InferenceServerClient.generate_request_body(pair_inputs())
    status, headers, answer = post("/v2/models/pair/infer", body, {"Inference-Header-Content-Length": str(length)})
    if status != 200:
        return [status, answer.decode()]
    parsed = http.InferenceServerClient.parse_response_body(answer, header_length=int(headers["inference-header-content-length"]))
    return [status, both(parsed)]


def raw(model: str, body: bytes) -> object:
    status, headers, answer = post(f"/v2/models/{model}/infer", body, {"Inference-Header-Content-Length": "0"})
    if status != 200:
        return status
    result = http.InferenceServerClient.parse_response_body(answer, header_length=int(headers["inference-header-content-length"]))
    return values(result.as_numpy(result.get_response()["outputs"][0]["name"]))


@check
def raw_binary_body():
    return [raw("echo_fp32", np.array([1, 2, 3], dtype=np.float32).tobytes()), raw("echo_bytes", b"a text")]


@check
def raw_binary_body_that_does_not_fit():
    return [raw("echo_fp32", b"1234567"), raw("pair", b"12345678")]
