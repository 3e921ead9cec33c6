"""Harmless texts, for the second stage of the training and for counting false alarms.

Why: every tweet of the data set was found by a list of offensive words, so a model that knows only them takes ordinary sentences, and those that
name a group of people, for offensive or hateful.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

SOURCE = "clinc150.json (CLINC150 with out-of-scope, data_full.json of clinc/oos-eval on GitHub, CC BY 3.0)"
GROUPS = (
    "gay", "lesbian", "bisexual", "trans", "straight", "Muslim", "Jewish", "Christian", "Hindu", "Buddhist", "atheist", "black", "white", "Asian", "Latino",
    "African", "Mexican", "Chinese", "Indian", "Arab", "deaf", "blind", "disabled", "old", "young", "an immigrant", "a refugee", "a woman", "a man",
)
LEARNED = (
    "I am {}", "my neighbour is {}", "my best friend is {} and lives next door", "she told me that she is {}", "are you {}?", "he is {} and proud of it",
    "is the new teacher {}?", "our doctor is {}",
)
HELD_OUT = ("my cousin is {}", "I heard that the singer is {}", "they asked whether I am {}", "being {} is part of who I am")

Example = tuple[str, int]


def utterances(folder: str | None, split: str) -> list[str]:
    """The in-scope requests of one split of CLINC150."""
    chosen = folder or os.environ.get("LEDGE_DATA")
    path = Path(chosen or ".") / "clinc150.json"
    if not chosen or not path.is_file():
        raise SystemExit(f"Missing data: give --data DIR (or LEDGE_DATA) with {SOURCE}.")
    return [text for text, _ in json.loads(path.read_text(encoding="utf-8"))[split]]


def filled(templates: tuple[str, ...]) -> list[str]:
    """Every template with every group."""
    return [template.format(group) for template in templates for group in GROUPS]


def learned(folder: str | None, label: int, count: int = 3000, seed: int = 15) -> list[Example]:
    """Texts to train on, all with this label: requests to an assistant, and sentences of our own making that name a group."""
    texts = random.Random(seed).sample(utterances(folder, "train"), count) + filled(LEARNED)
    return [(text, label) for text in texts]


def held_out(folder: str | None) -> dict[str, list[str]]:
    """Harmless texts that no training saw."""
    return {"assistantRequests": utterances(folder, "val"), "groupSentences": filled(HELD_OUT)}
