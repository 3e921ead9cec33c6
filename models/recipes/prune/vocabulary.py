"""Cut the vocabulary of a WordPiece model to the pieces that matter, and renumber them.

Which pieces stay: all special tokens, every piece of one character (with and without ##, so that no word of
known characters becomes unknown), the pieces that the given texts use, most used first, and then the others in their old order, which
in BERT vocabularies goes roughly from frequent to rare.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer


class VocabularyError(Exception):
    """The tokenizer can't be cut. The message is for the user."""


def read_tokenizer(path: Path) -> dict:
    """tokenizer.json as an object; only WordPiece models can be cut."""
    if not path.is_file():
        raise VocabularyError(f"{path} is missing: pruning the vocabulary needs the tokenizer.json beside the model.")
    described = json.loads(path.read_text(encoding="utf-8"))
    kind = described.get("model", {}).get("type")
    if kind != "WordPiece":
        raise VocabularyError(f"{path} holds a {kind} tokenizer: only WordPiece vocabularies can be pruned.")
    return described


def count_pieces(described: dict, texts: Iterable[str]) -> Counter[str]:
    """How often each piece occurs in the texts."""
    plain = described | {"truncation": None, "padding": None}
    tokenizer = Tokenizer.from_str(json.dumps(plain))
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(tokenizer.encode(text, add_special_tokens=False).tokens)
    return counts


def kept_ids(described: dict, counts: Counter[str], keep: int) -> list[int]:
    """The old ids of the pieces that stay, ascending, so that their order is kept."""
    vocabulary: dict[str, int] = described["model"]["vocab"]
    prefix = described["model"]["continuing_subword_prefix"]
    special = {token["content"] for token in described["added_tokens"]} | {described["model"]["unk_token"]}
    always = [piece for piece in vocabulary if piece in special or len(piece.removeprefix(prefix)) == 1]
    if keep < len(always):
        raise VocabularyError(f"--keep {keep} is too small: special tokens and single characters alone are {len(always)} pieces.")
    kept = {vocabulary[piece] for piece in always}
    by_use = [vocabulary[piece] for piece, _ in counts.most_common() if piece in vocabulary]
    for number in by_use + sorted(vocabulary.values()):
        if len(kept) >= keep:
            break
        kept.add(number)
    return sorted(kept)


def renumbered(described: dict, kept: list[int]) -> dict:
    """tokenizer.json for the pieces that stay: new ids are the positions in `kept`."""
    number = {old: new for new, old in enumerate(kept)}
    vocabulary = {piece: number[old] for piece, old in described["model"]["vocab"].items() if old in number}
    added = [token | {"id": number[token["id"]]} for token in described["added_tokens"]]
    made = described | {"truncation": None, "padding": None, "added_tokens": added}
    made["model"] = described["model"] | {"vocab": dict(sorted(vocabulary.items(), key=lambda entry: entry[1]))}
    post = made.get("post_processor") or {}
    if post.get("type") == "TemplateProcessing":
        tokens = {name: token | {"ids": [number[i] for i in token["ids"]]} for name, token in post["special_tokens"].items()}
        made["post_processor"] = post | {"special_tokens": tokens}
    elif post.get("type") == "BertProcessing":
        made["post_processor"] = post | {side: [post[side][0], number[post[side][1]]] for side in ("sep", "cls")}
    elif post:
        raise VocabularyError(f"The post-processor {post['type']} is not understood: its token ids could not be renumbered.")
    return made
