"""The verifier: a small encoder that reads `[CLS] A [SEP] B [SEP]` and says whether A and B want the same answer.

It is told what a sentence encoder would have to find out by itself: to which of the prompts a token belongs, its place in that prompt, and whether
the other prompt has the same token, also with the same neighbour before or after it, and how near its nearest word there is. Attention has a bias
between equal tokens, between near words and between the prompts, one number a head each. A name never seen in training is thus compared as well as
any other. The word vectors stay as they were in the sentence encoder, so that words never seen in training lie among the others as before.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from classify.checkpoint import Weights
from classify.encoder import BLOCKED, Encoder

LABELS = ["different", "same"]
TOKENS_MAX = 128
SURE = 15.0


class Verifier(Encoder):
    """ids [batch, length] -> logits [batch, 2]. A row of another form than the above, or too long to be whole, is `different`."""

    def __init__(self, config: dict, weights: Weights) -> None:
        super().__init__(config, weights, 0)
        width, self.separator = self.words.embedding_dim, config["separator_id"]
        heads = self.layers[0].query.out_features // self.layers[0].head
        self.words.weight.requires_grad_(False)
        self.shared = nn.Parameter(weights.get("pair.shared", torch.zeros(4, width)))
        self.toward = nn.Parameter(weights.get("pair.toward", torch.zeros(len(self.layers), 3, heads)))
        self.classifier = nn.Linear(3 * width, len(LABELS))
        nn.init.normal_(self.classifier.weight, std=0.02)
        if "classifier.weight" in weights:
            self.classifier.load_state_dict({part: weights[f"classifier.{part}"] for part in ("weight", "bias")})

    def weights(self) -> Weights:
        """The weights under their Hugging Face names, and those of the pair under names of our own."""
        return super().weights() | {"pair.shared": self.shared.detach().clone(), "pair.toward": self.toward.detach().clone()}

    def sides(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """To each token the prompt that it belongs to (0 or 1) and its place there."""
        ends = (ids == self.separator).long()
        side = ((ends.cumsum(1) - ends) > 0).long()
        first = (1 - side).sum(1, keepdim=True)
        return side, torch.arange(ids.shape[1]) - side * (first - 1)

    def across(self, ids: Tensor, side: Tensor) -> Tensor:
        """1 where two tokens are of different prompts and neither is a special one, [batch, length, length]."""
        own = (ids != 0) & (ids != self.separator) & (ids != self.config["start_id"])
        return ((side[:, :, None] != side[:, None, :]) & own[:, :, None] & own[:, None, :]).float()

    def broken(self, ids: Tensor) -> Tensor:
        """1 for a row that isn't two whole prompts, [batch]."""
        return (((ids == self.separator).sum(1) != 2) | ((ids != 0).sum(1) >= TOKENS_MAX)).float()

    def tokens(self, ids: Tensor) -> Tensor:
        """Token vectors [batch, length, width] after the last layer."""
        side, place = self.sides(ids)
        across, words = self.across(ids, side), self.words(ids)
        equal = (ids[:, :, None] == ids[:, None, :]).float() * across
        unit = F.normalize(words, dim=2)
        near = unit @ unit.transpose(1, 2) * across
        before = equal * F.pad(equal[:, :-1, :-1], (1, 0, 1, 0))
        after = equal * F.pad(equal[:, 1:, 1:], (0, 1, 0, 1))
        shared = torch.stack([part.amax(2) for part in (equal, before, after, near)], 2)
        x = words + self.positions.weight[place] + self.types.weight[side] + shared @ self.shared
        x = self.drop(self.norm(x))
        blocked = ((ids == 0).float() * BLOCKED)[:, None, None, :]
        drawn = torch.stack([equal, (side[:, :, None] != side[:, None, :]).float(), near], 1)
        for layer, toward in zip(self.layers, self.toward):
            x = layer(x, blocked + torch.einsum("bkij,kh->bhij", drawn, toward))
        return x

    def forward(self, ids: Tensor) -> Tensor:
        x, real = self.tokens(ids), (ids != 0).float()[:, :, None]
        mean = (x * real).sum(1) / real.sum(1)
        largest = (x + (1 - real) * BLOCKED).amax(1)
        logits = self.classifier(self.drop(torch.cat([x[:, 0], mean, largest], 1)))
        return logits + self.broken(ids)[:, None] * torch.tensor([SURE, -SURE]) * 2
