"""Unloading models and loading them again, and loading what cannot be loaded."""

from harness import both, caller, check, client, infer, operator, pair_inputs, refusal


@check
def unload_model_and_load_it_again():
    client.unload_model("pair", headers=operator())
    seen = [client.is_model_ready("pair", headers=caller()), refusal(lambda: infer(pair_inputs())) != "taken"]
    client.load_model("pair", headers=operator())
    return [*seen, client.is_model_ready("pair", headers=caller()), both(infer(pair_inputs()))]


@check
def unload_model_with_dependents():
    client.unload_model("echo_bytes", headers=operator(), unload_dependents=True)
    return client.is_model_ready("echo_bytes", headers=caller())


@check
def unload_an_unknown_model():
    return refusal(lambda: client.unload_model("nobody", headers=operator()))


@check
def load_model_needs_the_files_with_a_config_that_can_be_read():
    files = {"file:1/model.onnx": b"no model"}
    return [
        refusal(lambda: client.load_model("broken", headers=operator(), config="{", files=files)) != "taken",
        refusal(lambda: client.load_model("broken", headers=operator(), config="{}", files=files)) != "taken",
        refusal(lambda: client.load_model("nobody", headers=operator())) != "taken",
    ]
