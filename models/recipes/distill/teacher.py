"""The teacher: a Hugging Face encoder with its pooling, and the cache of its answers."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor
from transformers import AutoModel
from transformers.utils import cached_file, logging

from distill.corpus import Tokens, by_length

SHARD = 4096
logging.set_verbosity_error()
logging.disable_progress_bar()


class TeacherError(Exception):
    """The teacher can't be used. The message is for the user."""


def file_of(name: str, file: str) -> Path | None:
    """A file of a folder, or of a Hugging Face name, which the hub client has or fetches; None when there is none."""
    try:
        found = cached_file(name, file, _raise_exceptions_for_missing_entries=False)
    except OSError as missing:
        raise TeacherError(f"{name} is neither a checkpoint folder nor a Hugging Face name that can be fetched: {missing}") from None
    return Path(found) if found else None


def pool(tokens: Tensor, mask: Tensor, how: str) -> Tensor:
    """[batch, length, width] and mask [batch, length] to unit vectors [batch, width]: `mean` over the mask, or the `first` token."""
    if how == "first":
        return F.normalize(tokens[:, 0], dim=-1)
    weights = mask.unsqueeze(-1).to(tokens.dtype)
    return F.normalize((tokens * weights).sum(1) / weights.sum(1).clamp(min=1), dim=-1)


class Teacher:
    """The encoder, its tokenizer and its way of pooling, read from a folder or by a Hugging Face name."""

    def __init__(self, name: str) -> None:
        tokenizer, config = file_of(name, "tokenizer.json"), file_of(name, "config.json")
        if not tokenizer or not config or json.loads(config.read_text())["model_type"] != "bert":
            raise TeacherError(f"{name} has to hold an encoder of the BERT family: config.json, model.safetensors and tokenizer.json.")
        self.tokenizer = Tokenizer.from_file(str(tokenizer))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.model = AutoModel.from_pretrained(name, dtype=torch.float32).eval()
        settings = file_of(name, "1_Pooling/config.json")
        first = settings and json.loads(settings.read_text()).get("pooling_mode_cls_token", False)
        self.how = "first" if first else "mean"
        self.pad_id = self.model.config.pad_token_id or 0

    @torch.inference_mode()
    def states(self, ids: np.ndarray) -> tuple[Tensor, Tensor]:
        """Padded ids int64 [batch, length] to the last token states [batch, length, width] and the mask bool [batch, length]."""
        inputs = torch.from_numpy(ids)
        mask = inputs != self.pad_id
        return self.model(inputs, attention_mask=mask.long()).last_hidden_state, mask

    def embed_rows(self, tokens: Tokens, rows: np.ndarray, batch: int = 64) -> tuple[np.ndarray, np.ndarray]:
        """Unit vectors float16 [rows, width] in the order of `rows`, and all their token states float16 [tokens, width]."""
        width = self.model.config.hidden_size
        vectors, place = np.empty((len(rows), width), np.float16), {int(row): at for at, row in enumerate(rows)}
        ends = np.cumsum(tokens.lengths[rows])
        states = np.empty((int(ends[-1]), width), np.float16)
        for part in by_length(tokens, rows, batch):
            found, mask = self.states(tokens.padded(part, self.pad_id))
            pooled = pool(found, mask, self.how).numpy()
            for row, vector, own, length in zip(part, pooled, found.numpy(), tokens.lengths[part]):
                at = place[int(row)]
                vectors[at] = vector
                states[ends[at] - length : ends[at]] = own[:length]
        return vectors, states


def digest(tokens: Tokens, teacher: Teacher) -> str:
    """A short name for these sentences seen by this teacher, so that a cache is never used for others."""
    shape = json.dumps([teacher.model.config.hidden_size, teacher.model.config.num_hidden_layers, teacher.how])
    return hashlib.sha256(tokens.flat.tobytes() + tokens.lengths.tobytes() + shape.encode()).hexdigest()[:16]


def shard_files(folder: Path, count: int) -> list[tuple[Path, np.ndarray]]:
    """The cache files of the vectors and the rows that each of them holds; the token states lie beside them."""
    return [(folder / f"{at // SHARD:04d}.npy", np.arange(at, min(at + SHARD, count))) for at in range(0, count, SHARD)]


def states_file(path: Path) -> Path:
    """Where the token states of a shard are."""
    return path.with_suffix(".states.npy")


def fill_cache(teacher: Teacher, tokens: Tokens, work: Path) -> list[Path]:
    """Ask the teacher about all sentences, shard by shard, going on where an earlier run stopped; the files of the vectors."""
    folder = work / f"teacher-{digest(tokens, teacher)}"
    folder.mkdir(parents=True, exist_ok=True)
    files, began, done = shard_files(folder, len(tokens)), time.monotonic(), 0
    for path, rows in files:
        if path.is_file():
            continue
        vectors, states = teacher.embed_rows(tokens, rows)
        np.save(states_file(path), states)
        temporary = path.with_suffix(".part.npy")
        np.save(temporary, vectors)
        temporary.replace(path)
        done += len(rows)
        rate = done / (time.monotonic() - began)
        print(f"teacher: {rows[-1] + 1} of {len(tokens)} sentences, {rate:.0f} a second", flush=True)
    return [path for path, _ in files]


def vectors_of(files: list[Path]) -> np.ndarray:
    """The teacher's unit vectors of all sentences, float16 [sentences, width]."""
    return np.concatenate([np.load(path) for path in files])


def states_of(files: list[Path]) -> list[np.ndarray]:
    """The teacher's token states, one float16 [tokens, width] a shard, left on disk until they are read."""
    return [np.load(states_file(path), mmap_mode="r") for path in files]
