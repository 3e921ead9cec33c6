"""The files of a shipped classifier beside its graph: model.json with hashes, labels, tokenizer, and ids to compare a tokenizer with."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import onnx
from tokenizers import Tokenizer

from classify.checkpoint import write_json

RECIPES = Path(__file__).resolve().parent.parent
DATATYPES = {onnx.TensorProto.INT32: "INT32", onnx.TensorProto.INT64: "INT64", onnx.TensorProto.FLOAT: "FP32"}
WORDS = ("please", "book", "a", "table", "for", "two", "my", "account", "what's", "the", "weather", "like", "in", "café", "naïve", "Zürich", "isn't")
ODD = (
    "", " ", "?!", "don't", "e-mail", "3.50", "12:30pm", "ALL CAPS", "  two   spaces ", "tab\there", "new\nline", "émigré", "Ångström", "北京", "日本語 text",
    "привет", "😀 smile 😀", "a" * 120, "[PAD]", "x [SEP] y", "\u200bzero width", "½ cup", "ﬁne", "İstanbul", "ß", "co-op's", "#tag @name", "http://a.b/c?d=e",
)


def run_recipe(name: str, *arguments: object) -> None:
    """Run another recipe of this folder as its command line; stop when it fails."""
    command = [sys.executable, str(RECIPES / name), *map(str, arguments)]
    print("+ " + " ".join([name, *map(str, arguments)]), flush=True)
    if subprocess.run(command).returncode:
        raise SystemExit(f"The recipe {name} failed.")


def write_jsonl(path: Path, texts: list[str], targets: list[int], names: list[str]) -> None:
    """One {"text", "label"} a line, as the recipes read it."""
    lines = (json.dumps({"text": text, "label": names[target]}, ensure_ascii=False) for text, target in zip(texts, targets))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def golden_texts(count: int = 220) -> list[str]:
    """Texts of our own making: odd ones, and sentences drawn from a few words with every sort of joint."""
    made = list(ODD)
    for i in range(count - len(made)):
        words = [WORDS[(i * 7 + j * (i % 5 + 3)) % len(WORDS)] for j in range(i % 9 + 1)]
        joint = (" ", " ", ", ", "-", "  ", "… ", "/")[i % 7]
        text = joint.join(words)
        made.append(text.upper() if i % 11 == 0 else text.title() if i % 13 == 0 else f"{text} {i * 37}?" if i % 4 == 0 else text)
    return made


def write_golden(folder: Path, tokens_max: int) -> None:
    """tokens.golden.json: texts, and their ids by the Rust tokenizer, cut to `tokens_max`."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(tokens_max)
    rows = [{"text": text, "ids": tokenizer.encode(text).ids} for text in golden_texts()]
    lines = ",\n".join(json.dumps(row, ensure_ascii=True, separators=(",", ":")) for row in rows)
    (folder / "tokens.golden.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def file_entry(folder: Path, name: str) -> dict:
    """Path, size and hash of one file."""
    content = (folder / name).read_bytes()
    return {"path": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def tensors(found: list[onnx.ValueInfoProto]) -> list[dict]:
    """Inputs or outputs in Open Inference Protocol terms; -1 is a variable size."""
    size = lambda tensor: [d.dim_value or -1 for d in tensor.type.tensor_type.shape.dim]
    return [{"name": t.name, "datatype": DATATYPES[t.type.tensor_type.elem_type], "shape": size(t)} for t in found]


def write(folder: Path, checkpoint: Path, names: list[str], tokens_max: int, own: dict, post: dict | None = None) -> None:
    """Write labels, tokenizer and model.json beside the folder's model.onnx.

    own: name, version, description, metrics, training; post: more members of the softmax-labels step.
    """
    write_json(folder / "labels.json", names)
    shutil.copy(checkpoint / "tokenizer.json", folder / "tokenizer.json")
    write_golden(folder, tokens_max)
    graph = onnx.load(folder / "model.onnx")
    weights = {value.name for value in graph.graph.initializer}
    write_json(folder / "model.json", {
        "name": own["name"],
        "version": own["version"],
        "task": "text-classification",
        "description": own["description"],
        "licence": "Apache-2.0",
        "file": file_entry(folder, "model.onnx"),
        "files": [file_entry(folder, name) for name in ("labels.json", "tokenizer.json")],
        "opset": next(entry.version for entry in graph.opset_import if not entry.domain),
        "producer": "ledge",
        "inputs": tensors([i for i in graph.graph.input if i.name not in weights]),
        "outputs": tensors(list(graph.graph.output)),
        "preprocess": {
            "kind": "tokenizer", "tokenizer": "tokenizer.json", "maxTokens": tokens_max, "padId": 0, "inputs": {"ids": "input_ids"},
        },
        "postprocess": {"kind": "softmax-labels", "labels": "labels.json"} | (post or {}),
        "tiers": ["edge", "origin"],
        "limits": {"inputBytesMax": 4096, "batchMax": 32},
        "metrics": own["metrics"],
        "training": own["training"],
    })
