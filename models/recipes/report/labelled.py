"""Labelled or unlabelled inputs for a graph: .npz of arrays, or .jsonl of texts with the tokenizer that reads them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from tokenizers import Tokenizer

Inputs = dict[str, np.ndarray]
DTYPES = {onnx.TensorProto.INT32: np.int32, onnx.TensorProto.INT64: np.int64, onnx.TensorProto.FLOAT: np.float32}
MASKS, TYPES = ("attention_mask", "mask"), ("token_type_ids", "types")


class DataError(Exception):
    """The file can't be read as inputs of this graph. The message is for the user."""


@dataclass(frozen=True)
class Reader:
    """Turns texts into a graph's inputs: ids, and mask and types where the graph asks for them."""

    graph: Path
    tokenizer: Path | None = None
    tokens_max: int = 128
    pad: int = 0

    def inputs(self) -> dict[str, type]:
        """The graph's inputs and their number types."""
        found = onnx.load(self.graph, load_external_data=False).graph
        weights = {value.name for value in found.initializer}
        return {i.name: DTYPES.get(i.type.tensor_type.elem_type, np.float32) for i in found.input if i.name not in weights}

    def encode(self, texts: list[str], one_by_one: bool = False, batch: int = 32) -> list[Inputs]:
        """The texts in batches, each padded to its longest row."""
        if self.tokenizer is None or not self.tokenizer.is_file():
            raise DataError("Texts need --tokenizer FILE: the tokenizer.json of the model.")
        tokenizer = Tokenizer.from_file(str(self.tokenizer))
        tokenizer.no_padding()
        tokenizer.enable_truncation(self.tokens_max)
        rows = [found.ids for found in tokenizer.encode_batch(texts)]
        size, asked = 1 if one_by_one else batch, self.inputs()
        return [self.packed(rows[at : at + size], asked) for at in range(0, len(rows), size)]

    def packed(self, rows: list[list[int]], asked: dict[str, type]) -> Inputs:
        """One batch under the names that the graph has."""
        longest = max(len(row) for row in rows)
        ids = np.array([row + [self.pad] * (longest - len(row)) for row in rows])
        mask = np.array([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
        pick = lambda name: mask if name in MASKS else np.zeros_like(ids) if name in TYPES else ids
        return {name: pick(name).astype(kind) for name, kind in asked.items()}


def samples(path: Path, reader: Reader, most: int) -> list[Inputs]:
    """At most `most` single inputs, for calibration. npz: arrays under the input names, first axis = samples."""
    if path.suffix == ".npz":
        arrays, _ = arrays_of(path, reader)
        count = min(most, len(next(iter(arrays.values()))))
        return [{name: value[i : i + 1] for name, value in arrays.items()} for i in range(count)]
    return reader.encode([row["text"] for row in rows_of(path)][:most], one_by_one=True)


def labelled(path: Path, reader: Reader, labels: list[str] | None) -> tuple[list[Inputs], np.ndarray]:
    """Batches and the label number of each row. jsonl: {"text", "label"}, the label a name of `labels` or a number."""
    if path.suffix == ".npz":
        arrays, numbers = arrays_of(path, reader)
        if numbers is None:
            raise DataError(f'{path} has no array "labels".')
        cuts = range(0, len(numbers), 32)
        return [{name: value[at : at + 32] for name, value in arrays.items()} for at in cuts], numbers
    rows = rows_of(path)
    number = {name: i for i, name in enumerate(labels or [])}
    try:
        numbers = np.array([row["label"] if isinstance(row["label"], int) else number[row["label"]] for row in rows])
    except KeyError as missing:
        raise DataError(f"{path}: {missing} is not a label number, nor a name in the file given by --labels.") from None
    return reader.encode([row["text"] for row in rows]), numbers


def arrays_of(path: Path, reader: Reader) -> tuple[Inputs, np.ndarray | None]:
    """The arrays of an npz under the graph's input names, and its `labels`."""
    with np.load(path) as found:
        arrays = {name: found[name] for name in found.files}
    missing = sorted(set(reader.inputs()) - set(arrays))
    if missing:
        raise DataError(f"{path} has no array for the input {', '.join(missing)}; it has {', '.join(sorted(arrays))}.")
    return {name: arrays[name] for name in reader.inputs()}, arrays.get("labels")


def rows_of(path: Path) -> list[dict]:
    """One JSON object with a `text` a line."""
    if not path.is_file():
        raise DataError(f"{path} is missing.")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not rows or not all(isinstance(row, dict) and isinstance(row.get("text"), str) for row in rows):
        raise DataError(f'{path} should hold one object {{"text": …, "label": …}} a line.')
    return rows
