"""The verifier's start: the layers and word vectors of `embed` 1 as shipped, its int8 weights as floats again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from tokenizers import Tokenizer
from torch import Tensor

from classify import checkpoint
from classify.checkpoint import LAYER, Weights

EPS = 1e-12
HEADS = 12


def floats(graph: Path) -> dict[str, Tensor]:
    """Every initialiser of the graph in float32, in the names it has there without `.int8`."""
    stored = {value.name: numpy_helper.to_array(value) for value in onnx.load(graph).graph.initializer}
    made = {name: value for name, value in stored.items() if value.dtype == np.float32 and not name.endswith(".scale")}
    made |= {name.removesuffix(".int8"): value * stored[f"{name.removesuffix('.int8')}.scale"] for name, value in stored.items() if name.endswith(".int8")}
    return {name: torch.from_numpy(np.array(value, np.float32)) for name, value in made.items()}


def renamed(found: dict[str, Tensor]) -> Weights:
    """Under the names that Hugging Face gives them. The one token type in use is part of the positions; the second begins as none."""
    width, count = found["table"].shape[1], len({name.split(".")[1] for name in found if name.startswith("blocks.")})
    made = {
        "embeddings.word_embeddings.weight": found["table"], "embeddings.position_embeddings.weight": found["positions"],
        "embeddings.token_type_embeddings.weight": torch.zeros(2, width),
        "embeddings.LayerNorm.weight": found["norm.weight"], "embeddings.LayerNorm.bias": found["norm.bias"],
    }
    for at in range(count):
        ours, theirs = f"blocks.{at}", f"{LAYER}{at}"
        weight = lambda part: found[f"{ours}.{part}"] if f"{ours}.{part}" in found else found[f"{ours}.{part}.weight"]
        for part, whole in (("weight", weight("qkv").T), ("bias", found[f"{ours}.qkv.bias"])):
            for name, piece in zip(("query", "key", "value"), whole.chunk(3)):
                made[f"{theirs}.attention.self.{name}.{part}"] = piece
        for part, name in (("out", "attention.output.dense"), ("up", "intermediate.dense"), ("down", "output.dense")):
            made |= {f"{theirs}.{name}.weight": weight(part).T, f"{theirs}.{name}.bias": found[f"{ours}.{part}.bias"]}
        for part, name in (("norm_1", "attention.output.LayerNorm"), ("norm_2", "output.LayerNorm")):
            made |= {f"{theirs}.{name}.{kind}": found[f"{ours}.{part}.{kind}"] for kind in ("weight", "bias")}
    return {name: value.contiguous() for name, value in made.items()}


def begin(embed: Path, out: Path) -> None:
    """Write the checkpoint."""
    tokenizer, weights = Tokenizer.from_file(str(embed / "tokenizer.json")), renamed(floats(embed / "model.onnx"))
    config = {
        "model_type": "bert", "layer_norm_eps": EPS, "num_attention_heads": HEADS, "hidden_size": weights["embeddings.LayerNorm.bias"].shape[0],
        "separator_id": tokenizer.token_to_id("[SEP]"), "start_id": tokenizer.token_to_id("[CLS]"),
    }
    checkpoint.write(out, config, weights, embed)
