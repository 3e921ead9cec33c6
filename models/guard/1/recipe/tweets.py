"""The tweets as plain sentences with one of three labels, each text once, in three fixed parts."""

from __future__ import annotations

import csv
import html
import os
import random
import re
from collections import Counter, defaultdict
from pathlib import Path

SOURCE = "offensive-language.csv (labeled_data.csv of t-davidson/hate-speech-and-offensive-language on GitHub, MIT)"
LABELS = ["hate", "offensive", "neither"]
SHARES = {"test": 0.2, "val": 0.1}
PLATFORM = re.compile(r"https?://\S*|www\.\S+|@\w+:?|\bRT\b|\s+")

Example = tuple[str, int]


def load(folder: str | None) -> list[Example]:
    """Cleaned texts and label numbers; a text that occurs several times counts once, with its commonest label."""
    chosen = folder or os.environ.get("LEDGE_DATA")
    path = Path(chosen or ".") / "offensive-language.csv"
    if not chosen or not path.is_file():
        raise SystemExit(f"Missing data: give --data DIR (or LEDGE_DATA) with {SOURCE}.")
    votes: dict[str, Counter[int]] = defaultdict(Counter)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            votes[plain(row["tweet"])][int(row["class"])] += 1
    votes.pop("", None)
    return [(text, min(found, key=lambda label: (-found[label], label))) for text, found in votes.items()]


def plain(tweet: str) -> str:
    """Without what only the platform puts there: entities, links, names of users, the mark of a re-post."""
    return PLATFORM.sub(" ", html.unescape(html.unescape(tweet))).strip().strip('"').strip()


def split(examples: list[Example], seed: int = 15) -> dict[str, list[Example]]:
    """`train`, `val` and `test`, with the same share of each label in each; the seed is fixed."""
    draw, parts = random.Random(seed), defaultdict(list)
    for label in range(len(LABELS)):
        rows = [example for example in examples if example[1] == label]
        draw.shuffle(rows)
        for name, share in SHARES.items():
            count = round(share * len(rows))
            parts[name] += rows[:count]
            rows = rows[count:]
        parts["train"] += rows
    return dict(parts)
