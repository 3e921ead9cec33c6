"""How well a student agrees with its teacher on held-out text: what settings are chosen by, so that no test set is needed for it."""

from __future__ import annotations

import numpy as np

NEAREST = 4


def ranks(values: np.ndarray) -> np.ndarray:
    """Places from 0 up, float64; equal values share the mean of their places."""
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(sizes)
    return (ends - (sizes + 1) / 2)[group]


def spearman(left: np.ndarray, right: np.ndarray) -> float:
    """Correlation of the ranks of two lists of numbers of one length, -1 to 1."""
    return float(np.corrcoef(ranks(left), ranks(right))[0, 1])


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows at length 1, float32; a row of zeros stays."""
    wide = vectors.astype(np.float32)
    return wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-9)


def pairs(teacher: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of rows to compare: for each sentence its NEAREST by the teacher, and as many at random. Two int arrays."""
    close = unit(teacher) @ unit(teacher).T
    np.fill_diagonal(close, -2)
    near = np.argsort(-close, axis=1)[:, :NEAREST]
    other = np.random.default_rng(0).integers(0, len(teacher), near.shape)
    left = np.repeat(np.arange(len(teacher)), 2 * NEAREST)
    return left, np.concatenate([near, other], axis=1).ravel()


def agreement(student: np.ndarray, teacher: np.ndarray) -> dict[str, float]:
    """`cosine`: mean with the teacher's vectors, when the widths are equal. `order`: Spearman of the two models' similarities of pairs."""
    left, right = pairs(teacher)
    own, wanted = unit(student), unit(teacher)
    similar = [(vectors[left] * vectors[right]).sum(1) for vectors in (own, wanted)]
    found = {"order": spearman(*similar)}
    if own.shape == wanted.shape:
        found["cosine"] = float((own * wanted).sum(1).mean())
    return {name: round(value, 4) for name, value in found.items()}
