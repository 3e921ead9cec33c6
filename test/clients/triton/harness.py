"""What the checks of exercise.py share: the client, the values they send, and where their results are kept."""

import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import tritonclient.http as http
from tritonclient.utils import InferenceServerException

URL, MODELS = sys.argv[1], Path(sys.argv[2])


def caller() -> dict[str, str]:
    """New each time: the client writes a call's own headers into the dictionary that it is given."""
    return {"Authorization": f"Bearer {os.environ.get('CALLER_KEY', '')}"}


def operator() -> dict[str, str]:
    return {"Authorization": f"Bearer {os.environ.get('OPERATOR_KEY', '')}"}


client = http.InferenceServerClient(url=URL, concurrency=2, connection_timeout=60, network_timeout=120)
results: dict[str, object] = {}


def check(function):
    """Runs a check and keeps what it returns, or the status that the server refused it with."""
    try:
        results[function.__name__] = function()
    except InferenceServerException as error:
        results[function.__name__] = {"refused": error.status()}
    return function


def refusal(work) -> object:
    """The status that `work` is refused with; a refusal must say why."""
    try:
        work()
    except InferenceServerException as error:
        return error.status() if error.message() else "no message"
    return "taken"


def values(array: np.ndarray) -> object:
    flat = [one.decode() if isinstance(one, bytes) else one for one in array.flatten().tolist()]
    return {"dtype": str(array.dtype), "shape": list(array.shape), "data": flat}


def tensor(name: str, array: np.ndarray, datatype: str, binary: bool = True) -> http.InferInput:
    given = http.InferInput(name, list(array.shape), datatype)
    given.set_data_from_numpy(array, binary_data=binary)
    return given


A = np.array([[1, 2, 3, 4.5], [0, -1, 0.25, 100]], dtype=np.float32)
B = np.array([[1, 1, 1, 1], [2, 2, 2, 2]], dtype=np.float32)


def pair_inputs(binary: bool = True, a: np.ndarray = A, b: np.ndarray = B) -> list[http.InferInput]:
    return [tensor("a", a, "FP32", binary), tensor("b", b, "FP32", binary)]


def both(result) -> object:
    return [values(result.as_numpy(name)) for name in ("sum", "difference")]


def infer(inputs, outputs=None, model="pair", **more):
    return client.infer(model, inputs, outputs=outputs, headers=caller(), **more)


def post(path: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(f"http://{URL}{path}", body, {**caller(), "Content-Type": "application/octet-stream", **headers})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, {}, error.read()
