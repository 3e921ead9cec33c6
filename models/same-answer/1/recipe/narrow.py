"""Take out of a trained verifier's layers the inner numbers that matter least to it."""

from __future__ import annotations

import torch
from torch import Tensor

from classify.checkpoint import LAYER, Weights
from classify.texts import pack
from network import Verifier


@torch.no_grad()
def inner_weights(model: Verifier, ids: list[list[int]]) -> list[Tensor]:
    """How much each inner number of each layer moves the token vectors, over these texts: [layers][inner]."""
    model.eval()
    moved = [torch.zeros(layer.up.out_features) for layer in model.layers]
    for at in range(0, len(ids), 64):
        rows, mask = pack(ids[at : at + 64])

        def add(into: Tensor, given: Tensor) -> None:
            into += (given**2 * mask[:, :, None]).sum((0, 1))

        hooks = [layer.down.register_forward_pre_hook(lambda _, given, into=into: add(into, given[0])) for layer, into in zip(model.layers, moved)]
        model(rows)
        for hook in hooks:
            hook.remove()
    return [total.sqrt() * layer.down.weight.norm(dim=0) for total, layer in zip(moved, model.layers)]


def narrowed(model: Verifier, ids: list[list[int]], inner: int) -> Weights:
    """The weights with so many inner numbers a layer, those that weigh most over these texts."""
    made = model.weights()
    for at, weigh in enumerate(inner_weights(model, ids)):
        up, down, kept = f"{LAYER}{at}.intermediate.dense", f"{LAYER}{at}.output.dense", weigh.topk(inner).indices.sort().values
        made |= {f"{up}.{part}": made[f"{up}.{part}"][kept] for part in ("weight", "bias")} | {f"{down}.weight": made[f"{down}.weight"][:, kept]}
    return made
