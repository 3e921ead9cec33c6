"""Keep a part of a WordPiece vocabulary, with new ids, and write the tokenizer.json that goes with it."""

from __future__ import annotations

import copy
import json
import re
import unicodedata
from pathlib import Path

import numpy as np

RESERVED = re.compile(r"\[unused\d+\]")


def is_latin(token: str) -> bool:
    """Whether every letter of a token is of the Latin alphabet; digits, punctuation and symbols count as Latin."""
    return all(not c.isalpha() or unicodedata.name(c, "").startswith(("LATIN", "MODIFIER")) for c in token.removeprefix("##"))


def kept_ids(vocab: dict[str, int], special: set[str], counts: np.ndarray | None, tokens_max: int | None) -> list[int]:
    """Old ids to keep, in their old order: not the reserved ones, not those of other alphabets, and of the rest the most used.

    `counts` int64 [vocabulary] is how often the text has each; single characters stay, since words are spelt with them.
    """
    by_id = {i: token for token, i in vocab.items()}
    fixed = [i for i, t in by_id.items() if t in special or (len(t.removeprefix("##")) == 1 and is_latin(t))]
    free = [i for i, t in by_id.items() if i not in set(fixed) and not RESERVED.fullmatch(t) and is_latin(t)]
    if tokens_max is not None and counts is not None:
        free = sorted(free, key=lambda i: (-counts[i], i))[: max(0, tokens_max - len(fixed))]
    return sorted(fixed + free)


def renumber(settings: dict, old_ids: list[int]) -> dict:
    """The tokenizer.json with only `old_ids`, numbered from 0 in that order. Truncation and padding are taken out."""
    new_of = {old: new for new, old in enumerate(old_ids)}
    made = copy.deepcopy(settings) | {"truncation": None, "padding": None}
    made["model"]["vocab"] = {t: new_of[i] for t, i in settings["model"]["vocab"].items() if i in new_of}
    made["added_tokens"] = [entry | {"id": new_of[entry["id"]]} for entry in settings["added_tokens"] if entry["id"] in new_of]
    for entry in (made.get("post_processor") or {}).get("special_tokens", {}).values():
        entry["ids"] = [new_of[i] for i in entry["ids"]]
    return made


def read_settings(path: Path) -> dict:
    """A tokenizer.json that holds a WordPiece vocabulary; others can only be kept whole."""
    settings = json.loads(path.read_text(encoding="utf-8"))
    if settings["model"]["type"] != "WordPiece":
        raise SystemExit(f"The vocabulary of {path} is {settings['model']['type']}; only WordPiece can be cut. Leave --vocabulary out.")
    return settings


def write_settings(settings: dict, path: Path) -> None:
    """tokenizer.json on one line: it is for programs, and the line breaks are a third of its size."""
    path.write_text(json.dumps(settings, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
