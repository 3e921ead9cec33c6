"""A graph behind Ray Serve's `@serve.batch`, asked in the Open Inference Protocol's words.

    python batch_ray.py HTTP_PORT GRPC_PORT MODEL INPUT OUTPUT THREADS ROWS_MAX DELAY_MS      (the second port is not used)

`GET /counts` says how many rows were run in how many runs.
"""

import os
import signal
import sys

import numpy as np
import ray
from ray import serve
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

HERE = os.path.dirname(os.path.abspath(__file__))
PORT, _, MODEL, INPUT, OUTPUT, THREADS, ROWS_MAX, DELAY_MS = sys.argv[1:]


@serve.deployment(num_replicas=1, max_ongoing_requests=512)
class Graph:
    def __init__(self) -> None:
        sys.path.insert(0, HERE)
        from batch_model import open_session

        self.session = open_session(MODEL, int(THREADS))
        self.rows = 0
        self.runs = 0

    @serve.batch(max_batch_size=int(ROWS_MAX), batch_wait_timeout_s=float(DELAY_MS) / 1000)
    async def run(self, rows: list[np.ndarray]) -> list[np.ndarray]:
        self.rows += len(rows)
        self.runs += 1
        (outputs,) = self.session.run([OUTPUT], {INPUT: np.concatenate(rows)})
        return [outputs[at : at + 1] for at in range(len(rows))]

    async def __call__(self, request: Request) -> Response:
        if request.url.path == "/counts":
            return JSONResponse({"rows": self.rows, "runs": self.runs})
        if request.url.path == "/ready":
            return JSONResponse({})
        (tensor,) = (await request.json())["inputs"]
        outputs = await self.run(np.array(tensor["data"], np.int32).reshape(tensor["shape"]))
        return Response(outputs.tobytes(), media_type="application/octet-stream")


if __name__ == "__main__":
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
    serve.start(http_options={"host": "127.0.0.1", "port": int(PORT)})
    serve.run(Graph.bind(), route_prefix="/")
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    serve.shutdown()
    ray.shutdown()
    os._exit(0)
