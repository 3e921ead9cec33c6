"""The verifier's start: the layers and word vectors of `embed` 1 as shipped, its int8 weights as floats again, with the inner numbers that matter most."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from tokenizers import Tokenizer
from torch import Tensor

from classify import checkpoint
from classify.checkpoint import LAYER, Weights
from classify.encoder import Encoder
from classify.texts import pack

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


@torch.no_grad()
def inner_weights(model: Encoder, ids: list[list[int]]) -> list[Tensor]:
    """How much each inner number of each layer moves the token vectors, over these texts: [layers][inner]."""
    model.eval()
    made = [torch.zeros(layer.up.out_features) for layer in model.layers]
    for at in range(0, len(ids), 64):
        rows, mask = pack(ids[at : at + 64])
        for number, (x, layer) in enumerate(zip(model.states(rows, mask), model.layers)):
            mixed = []
            handle = layer.up.register_forward_pre_hook(lambda _, given, into=mixed: into.append(given[0]))
            layer(x, ((1 - mask) * -1e4)[:, None, None, :])
            handle.remove()
            made[number] += (F.gelu(layer.up(mixed[0])) ** 2 * mask[:, :, None]).sum((0, 1))
    return [moved.sqrt() * layer.down.weight.norm(dim=0) for moved, layer in zip(made, model.layers)]


def narrowed(weights: Weights, weigh: list[Tensor], inner: int) -> Weights:
    """Each layer with the inner numbers that weigh most."""
    made = dict(weights)
    for at, each in enumerate(weigh):
        up, down, kept = f"{LAYER}{at}.intermediate.dense", f"{LAYER}{at}.output.dense", each.topk(inner).indices.sort().values
        made |= {f"{up}.weight": weights[f"{up}.weight"][kept], f"{up}.bias": weights[f"{up}.bias"][kept], f"{down}.weight": weights[f"{down}.weight"][:, kept]}
    return made


def begin(embed: Path, texts: list[str], inner: int, out: Path) -> None:
    """Write the checkpoint. `texts` are what the inner numbers are weighed by."""
    tokenizer, weights = Tokenizer.from_file(str(embed / "tokenizer.json")), renamed(floats(embed / "model.onnx"))
    tokenizer.no_padding()
    config = {"model_type": "bert", "layer_norm_eps": EPS, "num_attention_heads": HEADS, "hidden_size": weights["embeddings.LayerNorm.bias"].shape[0]}
    weigh = inner_weights(Encoder(config, weights, 0), [found.ids for found in tokenizer.encode_batch(texts)])
    own = {"separator_id": tokenizer.token_to_id("[SEP]"), "start_id": tokenizer.token_to_id("[CLS]"), "intermediate_size": inner}
    checkpoint.write(out, config | own, narrowed(weights, weigh, inner), embed)
