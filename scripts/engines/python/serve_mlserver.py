"""MLServer, with the two models that every engine of tensors is tried with.

    python serve_mlserver.py HTTP_PORT GRPC_PORT      (needs mlserver.txt)

`pair` adds and subtracts; `echo` gives back what it gets, as it came.
"""

import asyncio
import sys

from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.codecs import NumpyCodec
from mlserver.errors import InferenceError
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput


class Pair(MLModel):
    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        given = {one.name: one for one in payload.inputs}
        if set(given) != {"a", "b"} or any(one.shape[1:] != [4] or one.datatype != "FP32" for one in given.values()):
            raise InferenceError("'pair' takes 'a' and 'b', FP32 of shape [-1, 4]")
        a, b = (NumpyCodec.decode_input(given[name]).reshape(given[name].shape) for name in ("a", "b"))
        outputs = [NumpyCodec.encode_output("sum", a + b), NumpyCodec.encode_output("difference", a - b)]
        return InferenceResponse(model_name=self.name, outputs=outputs)


class Echo(MLModel):
    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        outputs = [
            ResponseOutput(name=one.name.replace("in_", "out_"), shape=one.shape, datatype=one.datatype, data=one.data)
            for one in payload.inputs
        ]
        return InferenceResponse(model_name=self.name, outputs=outputs)


async def main(http_port: int, grpc_port: int) -> None:
    settings = Settings(
        host="127.0.0.1", http_port=http_port, grpc_port=grpc_port, parallel_workers=0, metrics_endpoint=None
    )
    models = [ModelSettings(name="pair", implementation=Pair), ModelSettings(name="echo", implementation=Echo)]
    await MLServer(settings).start(models)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
