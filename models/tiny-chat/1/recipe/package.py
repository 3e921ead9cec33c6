"""Write every shipped file of the model folder from the trained checkpoint.

The fp16 weights are the source of all the rest: the int8 graph is made from them, so anyone
can make it again from `model.safetensors` alone.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

import export_onnx
import measure
from corpus import ASSISTANT, BOS, END, PAD, USER, Speech, stream
from llama import Llama, Shape

ONNX = "onnx/model_quantized.onnx"
RUN_FILES = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", ONNX, "model.safetensors"]
CLEAN = "".join(f" | replace('{token}', ' ')" for token in (BOS, END, PAD))
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    f"{{% if message['role'] == 'assistant' %}}{{{{ '{ASSISTANT}' }}}}"
    f"{{% elif message['role'] == 'user' %}}{{{{ '{USER}' }}}}"
    "{% else %}{{ 'Chorus' }}{% endif %}"
    f"{{{{ ':\\n' + (message['content']{CLEAN} | trim) + eos_token }}}}"
    "{% endfor %}"
    f"{{% if add_generation_prompt %}}{{{{ '{ASSISTANT}:\\n' }}}}{{% endif %}}"
)


def write_json(path: Path, value: object) -> None:
    """UTF-8 JSON with a last newline."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def special_ids(tokenizer: Tokenizer) -> dict[str, int]:
    """Ids of the three special tokens under their HF names."""
    names = {"bos_token_id": BOS, "eos_token_id": END, "pad_token_id": PAD}
    return {name: tokenizer.token_to_id(token) for name, token in names.items()}


def write_configs(out: Path, shape: Shape, tokenizer: Tokenizer) -> None:
    """config.json, generation_config.json, tokenizer.json and tokenizer_config.json."""
    special = special_ids(tokenizer)
    fixed = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "torch_dtype": "float16", "hidden_act": "silu",
        "attention_bias": False, "attention_dropout": 0.0, "mlp_bias": False, "tie_word_embeddings": True,
        "initializer_range": 0.02, "pretraining_tp": 1, "rope_scaling": None, "use_cache": True,
    }
    write_json(out / "config.json", fixed | asdict(shape) | {"head_dim": shape.head_dim} | special)
    sampling = {"do_sample": True, "temperature": 0.8, "top_k": 40, "top_p": 0.95, "max_new_tokens": 160}
    write_json(out / "generation_config.json", special | sampling)
    tokenizer.save(str(out / "tokenizer.json"))
    write_json(out / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": BOS, "eos_token": END, "pad_token": PAD,
        "model_max_length": shape.max_position_embeddings, "clean_up_tokenization_spaces": False,
        "padding_side": "left", "chat_template": CHAT_TEMPLATE,
    })


def file_entry(out: Path, name: str) -> dict:
    """Path, size and hash of one file."""
    content = (out / name).read_bytes()
    return {"path": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def tensors(shape: Shape) -> tuple[list[dict], list[dict]]:
    """The graph's inputs and outputs in Open Inference Protocol terms."""
    inputs, outputs = export_onnx.interface(shape)
    kinds = {7: "INT64", 1: "FP32"}
    sizes = lambda t: [d.dim_value or -1 for d in t.type.tensor_type.shape.dim]
    entry = lambda t: {"name": t.name, "datatype": kinds[t.type.tensor_type.elem_type], "shape": sizes(t)}
    return [entry(t) for t in inputs], [entry(t) for t in outputs]


def description(out: Path, shape: Shape, found: dict) -> dict:
    """The content of model.json."""
    inputs, outputs = tensors(shape)
    return {
        "name": "tiny-chat",
        "version": "1",
        "task": "chat",
        "description": "A small Llama-shaped decoder that answers every message with a speech in the manner of Shakespeare's plays.",
        "licence": "Apache-2.0",
        "file": file_entry(out, ONNX),
        "files": [file_entry(out, name) for name in RUN_FILES],
        "inputs": inputs,
        "outputs": outputs,
        "preprocess": {"kind": "chat-template", "tokenizer": "tokenizer.json", "template": "tokenizer_config.json"},
        "postprocess": {"kind": "text-generation", "stopToken": END, "stopTokenId": found.pop("stopTokenId")},
        "tiers": ["origin"],
        "limits": {"contextTokensMax": shape.max_position_embeddings, "outputTokensMax": 256, "batchMax": 16},
        "metrics": found,
    }


def load_model(weights: dict[str, torch.Tensor], shape: Shape) -> Llama:
    """A model in evaluation mode with these weights, computing in float32."""
    model = Llama(shape)
    model.load_state_dict({name: value.float() for name, value in weights.items()})
    return model.eval()


def check_graph(work: Path, model: Llama, weights: dict[str, np.ndarray], ids: list[int]) -> dict[str, float]:
    """Export in float32 and compare with PyTorch; stop when they differ."""
    path = work / "model.float32.onnx"
    export_onnx.save(weights, model.shape, False, path)
    gaps = measure.graph_difference(measure.Runner(path, model.shape, 1), model, ids)
    if max(gaps.values()) > 1e-3:
        raise SystemExit(f"The ONNX graph differs from PyTorch: {gaps}")
    return gaps


def package(work: Path, out: Path, parts: dict[str, list[Speech]], threads: int) -> dict:
    """Write all files; return what was measured."""
    tokenizer = Tokenizer.from_file(str(work / "tokenizer.json"))
    shape = Shape(vocab_size=tokenizer.get_vocab_size())
    write_configs(out, shape, tokenizer)
    exact = load_file(work / "checkpoint.safetensors")
    save_file({k: v.half().contiguous() for k, v in exact.items()}, out / "model.safetensors", metadata={"format": "pt"})
    halves = load_file(out / "model.safetensors")
    models = {"float32": load_model(exact, shape), "float16": load_model(halves, shape)}
    weights = {name: value.float().numpy() for name, value in halves.items()}
    ids = stream(tokenizer, parts["test"])[:200]
    gaps = check_graph(work, models["float16"], weights, ids)
    export_onnx.save(weights, shape, True, out / ONNX)
    runner = measure.Runner(out / ONNX, shape, threads)
    found = {
        "dataset": "tinyshakespeare, last 10 % of the bytes: first half `val` (chose the checkpoint), second half `test`",
        "parameters": sum(v.numel() for v in exact.values()),
        **measure.losses(models, runner, tokenizer, parts),
        "float32OnnxMaxLogitDifference": gaps,
        "int8RowIndependenceMaxLogitDifference": measure.self_difference(runner, ids),
        "nativeTokensPerSecond": measure.tokens_per_second(runner, ids[:60]),
        "training": json.loads((work / "training.json").read_text()),
        "stopTokenId": tokenizer.token_to_id(END),
    }
    write_json(out / "model.json", description(out, shape, found))
    return found
