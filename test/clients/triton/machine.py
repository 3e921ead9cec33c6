"""What only a server on a machine of its own has: shared memory, traces, a log."""

import tritonclient.http as http
from harness import caller, check, client, infer, pair_inputs, refusal


@check
def shared_memory():
    return {
        "system status": refusal(lambda: client.get_system_shared_memory_status(headers=caller())),
        "system region status": refusal(lambda: client.get_system_shared_memory_status("r", headers=caller())),
        "system register": refusal(lambda: client.register_system_shared_memory("r", "/nothing", 64, headers=caller())),
        "system unregister": refusal(lambda: client.unregister_system_shared_memory(headers=caller())),
        "system region unregister": refusal(lambda: client.unregister_system_shared_memory("r", headers=caller())),
        "cuda status": refusal(lambda: client.get_cuda_shared_memory_status(headers=caller())),
        "cuda register": refusal(lambda: client.register_cuda_shared_memory("r", b"x", 0, 64, headers=caller())),
        "cuda unregister": refusal(lambda: client.unregister_cuda_shared_memory(headers=caller())),
    }


@check
def infer_from_shared_memory():
    given = http.InferInput("a", [2, 4], "FP32")
    given.set_shared_memory("r", 32)
    wanted = http.InferRequestedOutput("sum")
    wanted.set_shared_memory("r", 32)
    return [refusal(lambda: infer([given, pair_inputs()[1]])), refusal(lambda: infer(pair_inputs(), [wanted]))]


@check
def trace_and_log_settings():
    return {
        "get trace": refusal(lambda: client.get_trace_settings(headers=caller())),
        "get a model's trace": refusal(lambda: client.get_trace_settings("pair", headers=caller())),
        "update trace": refusal(lambda: client.update_trace_settings(settings={"trace_rate": "1000"}, headers=caller())),
        "update a model's trace": refusal(lambda: client.update_trace_settings("pair", {"trace_rate": "1000"}, headers=caller())),
        "get log": refusal(lambda: client.get_log_settings(headers=caller())),
        "update log": refusal(lambda: client.update_log_settings({"log_verbose_level": 0}, headers=caller())),
    }
