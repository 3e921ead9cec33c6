"""The transformer student: a BERT-shaped encoder that starts from a part of the teacher's own layers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distill.teacher import Teacher, pool


class StudentError(Exception):
    """No such student can be made. The message is for the user."""


@dataclass(frozen=True)
class Shape:
    """Sizes of a student. `feed_forward` is the width kept between the two dense layers of a block."""

    vocabulary: int
    width: int
    heads: int
    feed_forward: int
    layers: int
    positions: int
    pool: str
    epsilon: float


class Block(nn.Module):
    """Attention and feed-forward, each followed by the residual sum and its norm, as in BERT."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.qkv, self.out = nn.Linear(shape.width, 3 * shape.width), nn.Linear(shape.width, shape.width)
        self.up, self.down = nn.Linear(shape.width, shape.feed_forward), nn.Linear(shape.feed_forward, shape.width)
        self.norm_1 = nn.LayerNorm(shape.width, eps=shape.epsilon)
        self.norm_2 = nn.LayerNorm(shape.width, eps=shape.epsilon)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Token states [batch, length, width] and mask bool [batch, 1, 1, length]."""
        batch, length, width = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).reshape(batch, length, width)
        x = self.norm_1(x + self.out(mixed))
        return self.norm_2(x + self.down(F.gelu(self.up(x))))


class Student(nn.Module):
    """Ids to token states and to a unit vector. The pad id is 0; positions hold BERT's first segment vector too."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.table = nn.Embedding(shape.vocabulary, shape.width)
        self.positions = nn.Embedding(shape.positions, shape.width)
        self.norm = nn.LayerNorm(shape.width, eps=shape.epsilon)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Ids int64 [batch, length] to unit vectors [batch, width] and token states [batch, length, width]."""
        mask = ids != 0
        x = self.norm(self.table(ids) + self.positions.weight[: ids.shape[1]])
        for block in self.blocks:
            x = block(x, mask[:, None, None, :])
        return pool(x, mask, self.shape.pool), x


def block_from(teacher: dict[str, Tensor], at: int, feed_forward: int) -> dict[str, Tensor]:
    """The weights of the teacher's layer `at`; of its feed-forward neurons the `feed_forward` with the largest norms."""
    prefix = f"encoder.layer.{at}."
    get = lambda name, kind: teacher[f"{prefix}{name}.{kind}"]
    up, down = get("intermediate.dense", "weight"), get("output.dense", "weight")
    kept = torch.topk(up.norm(dim=1) * down.norm(dim=0), feed_forward).indices.sort().values
    made = {"up.weight": up[kept], "up.bias": get("intermediate.dense", "bias")[kept], "down.weight": down[:, kept]}
    made["down.bias"] = get("output.dense", "bias")
    for kind in ("weight", "bias"):
        made[f"qkv.{kind}"] = torch.cat([get(f"attention.self.{part}", kind) for part in ("query", "key", "value")])
        made[f"out.{kind}"] = get("attention.output.dense", kind)
        made[f"norm_1.{kind}"] = get("attention.output.LayerNorm", kind)
        made[f"norm_2.{kind}"] = get("output.LayerNorm", kind)
    return made


def from_teacher(teacher: Teacher, old_ids: list[int], layers: tuple[int, ...], feed_forward: int | None, positions: int) -> Student:
    """A student with the teacher's rows of `old_ids`, these of its layers (counted from 0), and its first `positions` places."""
    config, weights = teacher.model.config, teacher.model.state_dict()
    kept = feed_forward or config.intermediate_size
    if teacher.pad_id != old_ids[0] or old_ids[0] != 0:
        raise StudentError("The teacher's first word piece has to be the one it pads with.")
    if not 1 <= kept <= config.intermediate_size:
        raise StudentError(f"--feed-forward {feed_forward}: the teacher has {config.intermediate_size}.")
    shape = Shape(
        len(old_ids), config.hidden_size, config.num_attention_heads, kept, len(layers), positions, teacher.how, config.layer_norm_eps
    )
    student = Student(shape)
    student.table.weight.data = weights["embeddings.word_embeddings.weight"][old_ids].clone()
    first = weights["embeddings.token_type_embeddings.weight"][0]
    student.positions.weight.data = weights["embeddings.position_embeddings.weight"][:positions] + first
    student.norm.load_state_dict({kind: weights[f"embeddings.LayerNorm.{kind}"] for kind in ("weight", "bias")})
    for block, at in zip(student.blocks, layers):
        block.load_state_dict(block_from(weights, at, kept))
    return student


def keep_pieces(student: Student, old_ids: list[int]) -> None:
    """Take the other rows out of the token table; the ids become the places in `old_ids`."""
    student.table.weight.data = student.table.weight.data[old_ids].clone()
    student.shape = replace(student.shape, vocabulary=len(old_ids))


@torch.inference_mode()
def best_layers(teacher: Teacher, count: int, ids: np.ndarray, wanted: np.ndarray) -> tuple[int, ...]:
    """Of all choices of `count` layers, the one that is nearest to the teacher before any training.

    `ids` int64 [sentences, length] are the teacher's; `wanted` float [sentences, width] its unit vectors.
    """
    whole = teacher.model.config.num_hidden_layers
    vocabulary, target = list(range(teacher.model.config.vocab_size)), torch.from_numpy(wanted).float()
    student = from_teacher(teacher, vocabulary, tuple(range(whole)), None, ids.shape[1]).eval()
    blocks, found = list(student.blocks), []
    for chosen in combinations(range(whole), count):
        student.blocks = nn.ModuleList(blocks[at] for at in chosen)
        vectors, _ = student(torch.from_numpy(ids))
        found.append((float((vectors * target).sum(1).mean()), chosen))
    print("layers: " + ", ".join(f"{chosen} {cosine:.3f}" for cosine, chosen in sorted(found, reverse=True)[:5]), flush=True)
    return max(found)[1]
