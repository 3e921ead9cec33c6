"""What is wrong is said, by a status that is not 200 and a message."""

import numpy as np
import tritonclient.http as http
from harness import A, B, check, infer, pair_inputs, post, refusal, tensor


@check
def refusals():
    row = A[:1]
    whole = pair_inputs()
    return {
        "another datatype": refusal(lambda: infer([tensor("a", row.astype(np.int32), "INT32"), whole[1]])),
        "another shape": refusal(lambda: infer(pair_inputs(a=A[:, :3]))),
        "another rank": refusal(lambda: infer(pair_inputs(a=A.flatten()))),
        "a missing input": refusal(lambda: infer(whole[:1])),
        "an unknown input": refusal(lambda: infer([*whole, tensor("c", row, "FP32")])),
        "an input twice": refusal(lambda: infer([*whole, whole[0]])),
        "an unknown output": refusal(lambda: infer(whole, [http.InferRequestedOutput("product")])),
        "an unknown model": refusal(lambda: infer(whole, model="nobody")),
        "an unknown version": refusal(lambda: infer(whole, model_version="9")),
        "batches that differ": refusal(lambda: infer([tensor("a", A, "FP32"), tensor("b", B[:1], "FP32")])),
        "more rows than a batch takes": refusal(lambda: infer(pair_inputs(a=np.zeros((9, 4), np.float32), b=np.zeros((9, 4), np.float32)))),
    }


@check
def bodies_that_cannot_be_read():
    json_type = {"Content-Type": "application/json"}
    return {
        "no JSON": post("/v2/models/pair/infer", b"no json", json_type)[0],
        "a header longer than the body": post("/v2/models/pair/infer", b"{}", {"Inference-Header-Content-Length": "99"})[0],
        "data that does not fill the shape": post("/v2/models/echo_fp32/infer", b'{"inputs":[{"name":"in_FP32","shape":[1,2],"datatype":"FP32","data":[1]}]}', json_type)[0],
        "no gzip": post("/v2/models/pair/infer", b"no gzip", {"Content-Encoding": "gzip", **json_type})[0],
    }
