"""The training text as speeches, its split, and its token streams.

Why: the model learns a play as a list of speeches, each closed by one `<|end|>` token that
stands for the blank line of the source text. A chat is then just such a list of speeches.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

BOS, END, PAD = "<|bos|>", "<|end|>", "<|pad|>"
USER, ASSISTANT = "User", "Assistant"
SOURCE = "tinyshakespeare.txt (public domain text; input.txt of karpathy/char-rnn on GitHub)"


@dataclass(frozen=True)
class Speech:
    """One speech: who speaks and what is said."""

    name: str
    body: str

    def text(self, name: str | None = None) -> str:
        """The speech as the model reads it, under its own or another name."""
        return f"{name or self.name}:\n{self.body}{END}"


def data_file(folder: str | None) -> Path:
    """The path of the text, or exit with one clear sentence."""
    chosen = folder or os.environ.get("LEDGE_DATA")
    path = Path(chosen or ".") / "tinyshakespeare.txt"
    if not chosen or not path.is_file():
        raise SystemExit(f"Missing data: give --data DIR (or LEDGE_DATA) with {SOURCE}.")
    return path


def parse(text: str) -> list[Speech]:
    """Split the text at blank lines into named speeches; the few with nothing said are left out."""
    speeches = []
    for block in text.strip().split("\n\n"):
        name, _, body = block.strip("\n").partition("\n")
        if body:
            speeches.append(Speech(name.removesuffix(":"), body))
    return speeches


def split(speeches: list[Speech]) -> dict[str, list[Speech]]:
    """First 90 % of the bytes to train; the last 10 % halved: `val` chooses, `test` reports."""
    sizes = [source_bytes([s]) for s in speeches]
    total, seen = sum(sizes), 0
    parts: dict[str, list[Speech]] = {"train": [], "val": [], "test": []}
    for speech, size in zip(speeches, sizes):
        share = seen / total
        parts["train" if share < 0.9 else "val" if share < 0.95 else "test"].append(speech)
        seen += size
    return parts


def source_bytes(speeches: list[Speech]) -> int:
    """Bytes of the source text that these speeches cover (`<|end|>` stands for the blank line)."""
    return sum(len(f"{s.name}:\n{s.body}\n\n".encode()) for s in speeches)


def stream(tokenizer: Tokenizer, speeches: list[Speech]) -> list[int]:
    """All speeches under their own names as one list of token ids, opened by `<|bos|>`."""
    ids = [tokenizer.token_to_id(BOS)]
    for speech in speeches:
        ids += tokenizer.encode(speech.text(), add_special_tokens=False).ids
    return ids
