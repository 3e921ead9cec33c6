"""Read and write a checkpoint folder as Hugging Face lays it out: config.json, model.safetensors, tokenizer.json."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

Weights = dict[str, Tensor]
CARRIED = ("tokenizer.json", "tokenizer_config.json", "labels.json")
PREFIXES = ("bert.", "model.", "0.auto_model.")
LAYER = "encoder.layer."


class CheckpointError(Exception):
    """The folder holds no checkpoint that these recipes understand. The message is for the user."""


def plain_name(name: str) -> str:
    """A weight's name without the wrapper that a saved task model puts in front."""
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    return name


def read_config(folder: Path) -> dict:
    """config.json, or a sentence saying what is wrong with it."""
    path = folder / "config.json"
    if not path.is_file():
        raise CheckpointError(f"{folder} has no config.json: give a folder that holds a Hugging Face checkpoint.")
    config = json.loads(path.read_text(encoding="utf-8"))
    if config.get("model_type") != "bert":
        raise CheckpointError(f"{folder} holds a {config.get('model_type')!r} model: only encoders of the BERT family are understood.")
    return config


def read(folder: Path) -> tuple[dict, Weights]:
    """The configuration and the float weights, under their plain names (`encoder.layer.0.…`)."""
    config = read_config(folder)
    path = folder / "model.safetensors"
    if not path.is_file():
        raise CheckpointError(f"{folder} has no model.safetensors: save the checkpoint in that format first.")
    weights = {plain_name(name): value for name, value in load_file(path).items()}
    weights = {name: value.float() for name, value in weights.items() if value.is_floating_point()}
    if "embeddings.word_embeddings.weight" not in weights:
        raise CheckpointError(f"{path} has no word embeddings under the name that BERT gives them.")
    return config, weights


def write(folder: Path, config: dict, weights: Weights, carry_from: Path | None = None) -> None:
    """Write a checkpoint; tokenizer and labels are copied from `carry_from` where they are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in weights.items()}, folder / "model.safetensors", metadata={"format": "pt"})
    write_json(folder / "config.json", config)
    for name in CARRIED if carry_from else ():
        if (carry_from / name).is_file() and not (folder / name).exists():
            shutil.copy(carry_from / name, folder / name)


def write_json(path: Path, value: object, indent: int | None = 2) -> None:
    """UTF-8 JSON with a last newline."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=indent) + "\n", encoding="utf-8")


def layer_count(weights: Weights) -> int:
    """How many layers the weights have."""
    return len({name.split(".")[2] for name in weights if name.startswith(LAYER)})
