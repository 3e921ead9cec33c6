"""The server and its models describe themselves."""

from harness import caller, check, client, refusal


@check
def is_server_live():
    return client.is_server_live()


@check
def is_server_ready():
    return client.is_server_ready()


@check
def get_server_metadata():
    metadata = client.get_server_metadata(headers=caller())
    return sorted(set(metadata["extensions"]) & {"classification", "binary_tensor_data", "model_repository", "model_configuration", "parameters", "statistics"})


@check
def extensions_that_only_a_server_of_its_own_has():
    return sorted(set(client.get_server_metadata(headers=caller())["extensions"]) & {"system_shared_memory", "cuda_shared_memory", "trace", "logging", "sequence", "schedule_policy", "model_repository(unload_dependents)", "generate"})


@check
def is_model_ready():
    asked = [("pair", ""), ("pair", "1"), ("pair", "9"), ("nobody", "")]
    return [client.is_model_ready(name, version, headers=caller()) for name, version in asked]


@check
def get_model_metadata():
    metadata = client.get_model_metadata("pair", "1", headers=caller())
    return [metadata[key] for key in ("name", "versions", "inputs", "outputs")]


@check
def get_model_metadata_of_an_unknown_model():
    return [refusal(lambda: client.get_model_metadata(*named, headers=caller())) for named in [("nobody",), ("pair", "9")]]


@check
def get_model_config():
    config = client.get_model_config("pair", "1", headers=caller())
    sides = [[{key: one[key] for key in ("name", "data_type", "dims")} for one in config[side]] for side in ("input", "output")]
    return [config["name"], config["max_batch_size"], *sides]
