"""CLINC150 as texts and label numbers."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

SOURCE = "clinc150.json (CLINC150 with out-of-scope, data_full.json of clinc/oos-eval on GitHub, CC BY 3.0)"
OOS = "oos"
OOS_COPIES = 5
LETTERS = ("abcdefghijklmnopqrstuvwxyz", "0123456789", "àéîõüßçñøå", "абвгдежзик", "日本語漢字水火木金", "😀🎉🚀👍")

Raw = dict[str, list[tuple[str, str]]]
Part = tuple[list[str], list[int]]


def load(folder: str | None) -> Raw:
    """The file as it is published, or exit with one clear sentence."""
    chosen = folder or os.environ.get("LEDGE_DATA")
    path = Path(chosen or ".") / "clinc150.json"
    if not chosen or not path.is_file():
        raise SystemExit(f"Missing data: give --data DIR (or LEDGE_DATA) with {SOURCE}.")
    return json.loads(path.read_text(encoding="utf-8"))


def label_names(raw: Raw) -> list[str]:
    """The 150 intents in alphabetical order, then `oos`."""
    return sorted({label for _, label in raw["train"]}) + [OOS]


def part(raw: Raw, *splits: str) -> Part:
    """Texts and label numbers of these splits, one after the other."""
    number = {name: i for i, name in enumerate(label_names(raw))}
    pairs = [pair for split in splits for pair in raw[split]]
    return [text for text, _ in pairs], [number[label] for _, label in pairs]


def training_part(raw: Raw, noisy: int = 0) -> Part:
    """In-scope texts once, the few out-of-scope ones several times, and `noisy` meaningless texts of our own making as `oos`."""
    texts, targets = part(raw, "train", *["oos_train"] * OOS_COPIES)
    noise = noise_texts(noisy, seed=11)
    return texts + noise, targets + [len(label_names(raw)) - 1] * len(noise)


def noise_texts(count: int, seed: int) -> list[str]:
    """Empty and meaningless texts."""
    draw, texts = random.Random(seed), []
    for _ in range(count):
        words = []
        for _ in range(draw.randint(0, 5)):
            letters = draw.choice(LETTERS[:1] * 5 + LETTERS)
            words.append("".join(draw.choice(letters) for _ in range(draw.randint(1, 8))))
        texts.append(" ".join(words))
    return texts
