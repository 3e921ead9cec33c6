"""Self-checks of the recipe on a tiny encoder made on the spot. README.md says how to run them."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
import onnx
import torch

from classify import checkpoint
from classify.encoder import Encoder
from classify.tiny import HEADS, LABELS, TEXTS, write_tiny
from prune import layers, vocabulary
from quantize.tables import rows_to_int8
from report.labelled import Reader
from report.measure import first_outputs

RECIPES = Path(__file__).resolve().parent.parent
IDS, MASK = torch.tensor([[2, 40, 50, 3]]), torch.ones(1, 4)


class Prune(unittest.TestCase):
    """Layers, heads, vocabulary, and the command line."""

    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        write_tiny(self.folder)
        self.config, self.weights = checkpoint.read(self.folder)

    def logits(self, config: dict, weights: checkpoint.Weights) -> torch.Tensor:
        with torch.no_grad():
            return Encoder(config, weights, LABELS).eval()(IDS, MASK)[1]

    def command(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, RECIPES / "prune", *map(str, arguments)], capture_output=True, text=True)

    def test_keeping_every_layer_and_head_changes_no_answer(self) -> None:
        same = layers.keep_heads(*layers.keep_layers(self.config, self.weights, [0, 1, 2]), HEADS)
        self.assertTrue(torch.equal(self.logits(self.config, self.weights), self.logits(*same)))

    def test_a_head_with_no_weight_goes_first_and_changes_no_answer(self) -> None:
        weights = dict(self.weights)
        for i in range(3):
            name = f"{checkpoint.LAYER}{i}.{layers.OUTWARD}"
            weights[name] = weights[name].clone()
            weights[name][:, 16:32] = 0
        fewer = layers.keep_heads(self.config, weights, HEADS - 1)
        self.assertEqual(fewer[1][f"{checkpoint.LAYER}0.attention.self.query.weight"].shape[0], 48)
        self.assertTrue(torch.allclose(self.logits(self.config, weights), self.logits(*fewer), atol=1e-5))

    def test_a_layer_that_writes_nothing_is_the_weakest(self) -> None:
        weights = dict(self.weights)
        for name in (layers.OUTWARD, "output.dense.weight"):
            weights[f"{checkpoint.LAYER}1.{name}"] = torch.zeros_like(weights[f"{checkpoint.LAYER}1.{name}"])
        self.assertEqual(layers.strongest_layers(weights, 2), [0, 2])

    def test_a_cut_vocabulary_reads_its_corpus_as_before(self) -> None:
        corpus = self.folder / "corpus.txt"
        corpus.write_text("\n".join(TEXTS))
        for source, more in ((self.folder, ()), (self.folder / "model.onnx", ("--tokenizer", self.folder / "tokenizer.json"))):
            out = self.folder / f"cut-{source.name}"
            done = self.command("vocabulary", source, out, "--keep", 140, "--corpus", corpus, *more)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(checkpoint.read(self.folder / f"cut-{self.folder.name}")[1]["embeddings.word_embeddings.weight"].shape[0], 140)
        outputs = [
            first_outputs(f / "model.onnx", Reader(f / "model.onnx", f / "tokenizer.json").encode(TEXTS))
            for f in (self.folder, self.folder / "cut-model.onnx")
        ]
        self.assertTrue(np.array_equal(*outputs))

    def test_int8_tables_are_cut_with_their_scales(self) -> None:
        onnx.save(rows_to_int8(onnx.load(self.folder / "model.onnx")), self.folder / "int8.onnx")
        done = self.command("vocabulary", self.folder / "int8.onnx", self.folder / "cut", "--keep", 100, "--tokenizer", self.folder / "tokenizer.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        sizes = {value.name: value.dims[0] for value in onnx.load(self.folder / "cut" / "model.onnx").graph.initializer if value.name.startswith("words")}
        self.assertEqual(sizes, {"words.weight.int8": 100, "words.weight.scale": 100})

    def test_single_characters_and_special_tokens_always_stay(self) -> None:
        described = json.loads((self.folder / "tokenizer.json").read_text())
        kept = vocabulary.renumbered(described, vocabulary.kept_ids(described, vocabulary.count_pieces(described, []), 76))
        self.assertEqual(len(kept["model"]["vocab"]), 76)
        self.assertLessEqual({"[PAD]", "[CLS]", "q", "##q"}, set(kept["model"]["vocab"]))

    def test_the_command_leaves_a_table_and_a_dry_run_leaves_nothing(self) -> None:
        arguments = ("layers", self.folder, self.folder / "two", "--count", 2, "--eval", self.folder / "texts.jsonl")
        self.assertEqual(self.command(*arguments, "--dry-run").returncode, 0)
        self.assertFalse((self.folder / "two").exists())
        done = self.command(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = json.loads((self.folder / "two" / "table.json").read_text())["rows"]
        self.assertEqual([row["model"] for row in rows], ["input", "layers"])
        self.assertEqual(rows[0]["accuracy"]["percent"], 100.0)
        self.assertLess(rows[1]["bytes"], rows[0]["bytes"])

    def test_what_does_not_fit_gets_one_sentence_and_status_2(self) -> None:
        wrong = (
            ("layers", self.folder, self.folder / "x", "--keep", "0,9"), ("heads", self.folder, self.folder / "x", "--count", 9),
            ("heads", self.folder / "model.onnx", self.folder / "x", "--count", 2), ("vocabulary", self.folder, self.folder / "x", "--keep", 10),
            ("layers", self.folder / "nothing", self.folder / "x", "--count", 2),
        )
        for arguments in wrong:
            done = self.command(*arguments)
            self.assertEqual((done.returncode, done.stderr.count("\n"), done.stderr[:7]), (2, 1, "prune: "), done.stderr)


if __name__ == "__main__":
    unittest.main()
