"""A BERT encoder with a pooled classification head, in plain PyTorch.

Why not the class of `transformers`: every size is read off the weights, layer by layer, so a checkpoint whose heads or
inner widths were pruned unevenly loads as it is.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from classify.checkpoint import LAYER, Weights, layer_count

BLOCKED = -1e4


class Layer(nn.Module):
    """One encoder layer. x: [batch, length, width]; bias: [batch, 1, 1, length], 0 or very negative."""

    def __init__(self, width: int, inner: int, attended: int, head: int, eps: float) -> None:
        super().__init__()
        self.head = head
        self.query, self.key, self.value = (nn.Linear(width, attended) for _ in range(3))
        self.mix, self.up, self.down = nn.Linear(attended, width), nn.Linear(width, inner), nn.Linear(inner, width)
        self.mix_norm, self.down_norm = nn.LayerNorm(width, eps=eps), nn.LayerNorm(width, eps=eps)
        self.drop = nn.Dropout(0.1)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        split = lambda y: y.view(*y.shape[:2], -1, self.head).transpose(1, 2)
        mixed = F.scaled_dot_product_attention(split(self.query(x)), split(self.key(x)), split(self.value(x)), attn_mask=bias)
        x = self.mix_norm(x + self.drop(self.mix(mixed.transpose(1, 2).flatten(2))))
        return self.down_norm(x + self.drop(self.down(F.gelu(self.up(x)))))


NAMES = {
    "query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value",
    "mix": "attention.output.dense", "mix_norm": "attention.output.LayerNorm",
    "up": "intermediate.dense", "down": "output.dense", "down_norm": "output.LayerNorm",
}
OUTER = {
    "words": "embeddings.word_embeddings", "positions": "embeddings.position_embeddings",
    "types": "embeddings.token_type_embeddings", "norm": "embeddings.LayerNorm", "classifier": "classifier",
}


class Encoder(nn.Module):
    """ids [batch, length], mask [batch, length] of 0 and 1 -> pooled [batch, width] and logits [batch, labels].

    Pooling is the mean over the tokens of the mask. With 0 labels there is no classifier, and the logits are the pooled vectors.
    """

    def __init__(self, config: dict, weights: Weights, labels: int) -> None:
        super().__init__()
        width, eps = weights["embeddings.word_embeddings.weight"].shape[1], config["layer_norm_eps"]
        self.config = config
        self.words = nn.Embedding(*weights["embeddings.word_embeddings.weight"].shape)
        self.positions = nn.Embedding(*weights["embeddings.position_embeddings.weight"].shape)
        self.types = nn.Embedding(*weights["embeddings.token_type_embeddings.weight"].shape)
        self.norm = nn.LayerNorm(width, eps=eps)
        head = config.get("head_size") or width // config["num_attention_heads"]
        shape = lambda i, name: weights[f"{LAYER}{i}.{name}.weight"].shape
        self.layers = nn.ModuleList(
            Layer(width, shape(i, "intermediate.dense")[0], shape(i, "attention.self.query")[0], head, eps)
            for i in range(layer_count(weights))
        )
        self.drop = nn.Dropout(0.1)
        self.classifier = nn.Linear(width, labels) if labels else nn.Identity()
        if labels:
            nn.init.normal_(self.classifier.weight, std=0.02)
        own = {name: weights[theirs] for name, theirs in self.names().items() if theirs in weights}
        self.load_state_dict(own, strict=False)

    def names(self) -> dict[str, str]:
        """This class's weight names, and the names that Hugging Face gives them."""
        pairs = dict(OUTER)
        for i in range(len(self.layers)):
            pairs |= {f"layers.{i}.{ours}": f"{LAYER}{i}.{theirs}" for ours, theirs in NAMES.items()}
        found = {f"{ours}.{part}": f"{theirs}.{part}" for ours, theirs in pairs.items() for part in ("weight", "bias")}
        return {ours: theirs for ours, theirs in found.items() if ours in self.state_dict()}

    def weights(self) -> Weights:
        """The weights under their Hugging Face names."""
        own = self.state_dict()
        return {theirs: own[ours].detach().clone() for ours, theirs in self.names().items()}

    def states(self, ids: Tensor, mask: Tensor) -> list[Tensor]:
        """Token vectors [batch, length, width] after the embedding and after each layer."""
        places = self.positions.weight[: ids.shape[1]]
        x = self.drop(self.norm(self.words(ids) + places + self.types.weight[0]))
        bias = ((1 - mask) * BLOCKED)[:, None, None, :]
        found = [x]
        for layer in self.layers:
            found.append(layer(found[-1], bias))
        return found

    def pooled(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Mean of the last token vectors over the mask: [batch, width]."""
        last, share = self.states(ids, mask)[-1], mask / mask.sum(1, keepdim=True)
        return torch.bmm(share[:, None, :], last)[:, 0]

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        pooled = self.pooled(ids, mask)
        return pooled, self.classifier(self.drop(pooled))
