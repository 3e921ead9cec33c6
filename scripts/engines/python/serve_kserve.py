"""KServe's own model server, with the two models that every engine of tensors is tried with.

    python serve_kserve.py HTTP_PORT GRPC_PORT      (needs kserve.txt)

`pair` adds and subtracts; `echo` gives back what it gets. Answers come in the form of the request: bytes to bytes, JSON to JSON.
"""

import sys

from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
from kserve.errors import InvalidInput


class Tensors(Model):
    def load(self) -> bool:
        self.ready = True
        return True

    def predict(self, payload: InferRequest, headers=None, response_headers=None) -> InferResponse:
        given = {one.name: one for one in payload.inputs}
        outputs = [output(name, one, value) for name, one, value in self.outputs(given)]
        return InferResponse(payload.id, self.name, outputs, use_binary_outputs=payload.use_binary_outputs, requested_outputs=payload.request_outputs)


class Pair(Tensors):
    def outputs(self, given):
        if set(given) != {"a", "b"} or any(one.shape[1:] != [4] or one.datatype != "FP32" for one in given.values()):
            raise InvalidInput("'pair' takes 'a' and 'b', FP32 of shape [-1, 4]")
        a, b = given["a"], given["b"]
        yield "sum", a, a.as_numpy() + b.as_numpy()
        yield "difference", a, a.as_numpy() - b.as_numpy()


class Echo(Tensors):
    def outputs(self, given):
        for name, one in given.items():
            yield name.replace("in_", "out_"), one, one.as_numpy()


def output(name, one, value) -> InferOutput:
    made = InferOutput(name, list(value.shape), one.datatype)
    made.set_data_from_numpy(value, binary_data=one._raw_data is not None)
    return made


if __name__ == "__main__":
    models = [Pair("pair"), Echo("echo")]
    for model in models:
        model.load()
    ModelServer(http_port=int(sys.argv[1]), grpc_port=int(sys.argv[2]), workers=1, enable_latency_logging=False).start(models)
