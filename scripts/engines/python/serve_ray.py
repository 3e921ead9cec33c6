"""Ray Serve, with the two models that every engine of tensors is tried with.

    python serve_ray.py HTTP_PORT GRPC_PORT      (needs ray.txt; the second port is not used)

Ray Serve brings replicas and routing and leaves the protocol to the application: this one speaks the Open Inference Protocol's REST
form with tensors as JSON. `pair` adds and subtracts; `echo` gives back what it gets.
"""

import os
import signal
import sys

import numpy as np
import ray
from ray import serve
from starlette.requests import Request
from starlette.responses import JSONResponse


def refused(status: int, why: str) -> JSONResponse:
    return JSONResponse({"error": why}, status_code=status)


def pair(inputs: list[dict]) -> list[dict] | str:
    given = {one["name"]: one for one in inputs}
    if set(given) != {"a", "b"} or any(one["shape"][1:] != [4] or one["datatype"] != "FP32" for one in given.values()):
        return "'pair' takes 'a' and 'b', FP32 of shape [-1, 4]"
    a, b = (np.array(given[name]["data"], np.float32).reshape(given[name]["shape"]) for name in ("a", "b"))
    made = {"sum": a + b, "difference": a - b}
    return [{"name": name, "shape": list(value.shape), "datatype": "FP32", "data": value.ravel().tolist()} for name, value in made.items()]


def echo(inputs: list[dict]) -> list[dict]:
    return [{**one, "name": one["name"].replace("in_", "out_")} for one in inputs]


MODELS = {"pair": pair, "echo": echo}


@serve.deployment(num_replicas=1, max_ongoing_requests=64)
class OpenInference:
    async def __call__(self, request: Request) -> JSONResponse:
        path = request.url.path.strip("/").split("/")
        if path == ["v2"]:
            return JSONResponse({"name": "ray-serve", "version": ray.__version__, "extensions": []})
        if path[:2] != ["v2", "models"] or len(path) != 4 or path[2] not in MODELS:
            return refused(404, "there is no such model")
        if path[3] == "ready":
            return JSONResponse({"name": path[2], "ready": True})
        body = await request.json()
        outputs = MODELS[path[2]](body["inputs"])
        if isinstance(outputs, str):
            return refused(400, outputs)
        return JSONResponse({"model_name": path[2], "id": body.get("id", ""), "outputs": outputs})


if __name__ == "__main__":
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
    serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])})
    serve.run(OpenInference.bind(), route_prefix="/")
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    serve.shutdown()
    ray.shutdown()
    os._exit(0)
