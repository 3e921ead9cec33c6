"""Take whole layers, or attention heads, out of an encoder's weights, by magnitude or by number."""

from __future__ import annotations

import re

import torch
from torch import Tensor

from classify.checkpoint import LAYER, Weights, layer_count

NUMBER = re.compile(r"^encoder\.layer\.(\d+)\.")
INWARD = ("query", "key", "value")
OUTWARD = "attention.output.dense.weight"


class PruneError(Exception):
    """The model can't be pruned like this. The message is for the user."""


def layer_magnitudes(weights: Weights) -> list[float]:
    """Per layer: the Frobenius norm of the two products that write into the stream of token vectors."""
    written = (OUTWARD, "output.dense.weight")
    return [sum(float(weights[f"{LAYER}{i}.{name}"].norm()) for name in written) for i in range(layer_count(weights))]


def strongest_layers(weights: Weights, count: int) -> list[int]:
    """The layers with the greatest magnitude, in their order."""
    if not 1 <= count <= layer_count(weights):
        raise PruneError(f"--count {count} does not fit: the model has {layer_count(weights)} layers.")
    norms = layer_magnitudes(weights)
    return sorted(sorted(range(len(norms)), key=lambda i: -norms[i])[:count])


def keep_layers(config: dict, weights: Weights, kept: list[int]) -> tuple[dict, Weights]:
    """The model with these layers only, renumbered in the order given."""
    count = layer_count(weights)
    if not kept or len(set(kept)) != len(kept) or not set(kept) <= set(range(count)):
        raise PruneError(f"--keep takes different layer numbers from 0 to {count - 1}.")
    place = {old: new for new, old in enumerate(kept)}
    made: Weights = {}
    for name, value in weights.items():
        found = NUMBER.match(name)
        if not found:
            made[name] = value
        elif int(found[1]) in place:
            made[f"{LAYER}{place[int(found[1])]}.{name[found.end():]}"] = value
    return config | {"num_hidden_layers": len(kept)}, made


def head_size(config: dict, weights: Weights) -> int:
    """Numbers per head; stays the same when heads go."""
    width = weights["embeddings.word_embeddings.weight"].shape[1]
    return config.get("head_size") or width // config["num_attention_heads"]


def head_magnitudes(weights: Weights, layer: int, size: int) -> Tensor:
    """Per head: norm of its value weights times norm of its output weights, [heads]."""
    value = weights[f"{LAYER}{layer}.attention.self.value.weight"]
    mixed = weights[f"{LAYER}{layer}.{OUTWARD}"]
    return value.view(-1, size, value.shape[1]).flatten(1).norm(dim=1) * mixed.view(mixed.shape[0], -1, size).permute(1, 0, 2).flatten(1).norm(dim=1)


def keep_heads(config: dict, weights: Weights, count: int) -> tuple[dict, Weights]:
    """Each layer with its `count` strongest heads."""
    size, made = head_size(config, weights), dict(weights)
    for layer in range(layer_count(weights)):
        norms = head_magnitudes(weights, layer, size)
        if not 1 <= count <= len(norms):
            raise PruneError(f"--count {count} does not fit: layer {layer} has {len(norms)} heads.")
        heads = torch.topk(norms, count).indices.sort().values
        rows = (heads[:, None] * size + torch.arange(size)).flatten()
        for part in INWARD:
            for end in ("weight", "bias"):
                name = f"{LAYER}{layer}.attention.self.{part}.{end}"
                made[name] = weights[name][rows].clone()
        made[f"{LAYER}{layer}.{OUTWARD}"] = weights[f"{LAYER}{layer}.{OUTWARD}"][:, rows].clone()
    return config | {"head_size": size, "num_attention_heads": count}, made
