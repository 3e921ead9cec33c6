"""Loading models that come with the request, and the index of what is there."""

from harness import MODELS, caller, check, client, operator


@check
def load_model_with_config_and_files():
    for folder in sorted(MODELS.iterdir()):
        config = (folder / "config.json").read_text()
        files = {f"file:1/{file.name}": file.read_bytes() for file in folder.iterdir() if file.name != "config.json"}
        client.load_model(folder.name, headers=operator(), config=config, files=files)
    return "loaded"


@check
def get_model_repository_index():
    index = client.get_model_repository_index(headers=caller())
    return sorted([one["name"], one["version"], one["state"]] for one in index if one["name"] in ("pair", "echo"))
