"""A tiny random encoder with tokenizer, graph and labelled texts, for the self-checks of the recipes."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from classify import checkpoint, graph
from classify.encoder import Encoder

WIDTH, INNER, HEADS, LAYERS, LABELS = 64, 128, 4, 3, 5
TEXTS = [" ".join(f"w{(i * 7 + j * 3) % 60}" for j in range(i % 7 + 1)) for i in range(40)]


def tokenizer() -> Tokenizer:
    """WordPiece over the special tokens, single characters, and sixty words, the later ones used by no text."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *(f"##{letter}" for letter in letters), *(f"w{i}" for i in range(90))]
    found = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(dict.fromkeys(pieces))}, unk_token="[UNK]"))
    found.normalizer, found.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    found.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    found.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return found


def random_weights(pieces: int) -> checkpoint.Weights:
    """Float weights under Hugging Face names."""
    torch.manual_seed(5)
    pair = lambda name, rows, columns: {f"{name}.weight": torch.randn(rows, columns) * columns**-0.5, f"{name}.bias": torch.randn(rows) * 0.1}
    norm = lambda name: {f"{name}.weight": torch.ones(WIDTH), f"{name}.bias": torch.zeros(WIDTH)}
    made = {f"embeddings.{kind}_embeddings.weight": torch.randn(rows, WIDTH) for kind, rows in (("word", pieces), ("position", 32), ("token_type", 2))}
    made |= norm("embeddings.LayerNorm") | pair("classifier", LABELS, WIDTH)
    for i in range(LAYERS):
        at = f"{checkpoint.LAYER}{i}."
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            made |= pair(f"{at}attention.{part}", WIDTH, WIDTH)
        made |= pair(f"{at}intermediate.dense", INNER, WIDTH) | pair(f"{at}output.dense", WIDTH, INNER)
        made |= norm(f"{at}attention.output.LayerNorm") | norm(f"{at}output.LayerNorm")
    return made


def write_tiny(folder: Path) -> None:
    """Checkpoint, tokenizer.json, model.onnx, and texts.jsonl with the labels that the model itself gives."""
    found = tokenizer()
    config = {
        "model_type": "bert", "hidden_size": WIDTH, "intermediate_size": INNER, "num_attention_heads": HEADS, "num_hidden_layers": LAYERS,
        "layer_norm_eps": 1e-12, "max_position_embeddings": 32, "vocab_size": found.get_vocab_size(), "hidden_act": "gelu",
    }
    weights = random_weights(found.get_vocab_size())
    checkpoint.write(folder, config, weights)
    found.save(str(folder / "tokenizer.json"))
    model = Encoder(config, weights, LABELS).eval()
    graph.save(model, 32, folder / "model.onnx")
    rows = []
    for text in TEXTS:
        ids = torch.tensor([found.encode(text).ids])
        with torch.no_grad():
            label = int(model(ids, torch.ones(ids.shape))[1].argmax())
        rows.append(json.dumps({"text": text, "label": label}))
    (folder / "texts.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
