"""Self-checks of the recipe on a tiny encoder made on the spot. README.md says how to run them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
import onnx

from classify.tiny import TEXTS, write_tiny
from quantize.schemes import SCHEMES, Options, QuantizeError
from report.labelled import Reader, samples
from report.measure import first_outputs

RECIPES = Path(__file__).resolve().parent.parent


class Quantize(unittest.TestCase):
    """Every scheme, and the command line."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.temporary.name)
        write_tiny(cls.folder)
        cls.reader = Reader(cls.folder / "model.onnx", cls.folder / "tokenizer.json")
        cls.inputs = cls.reader.encode(TEXTS, one_by_one=True)
        cls.before = first_outputs(cls.folder / "model.onnx", cls.inputs)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.temporary.cleanup()

    def made(self, scheme: str, **options: object) -> Path:
        out = self.folder / f"{scheme}.onnx"
        given = samples(self.folder / "texts.jsonl", self.reader, 50)
        onnx.save(SCHEMES[scheme](onnx.load(self.folder / "model.onnx"), Options(samples=tuple(given), **options)), out)
        return out

    def test_every_scheme_makes_a_smaller_graph_that_answers_nearly_the_same(self) -> None:
        size = (self.folder / "model.onnx").stat().st_size
        for scheme, most in (("int8-dynamic", 0.45), ("int8-static", 0.45), ("fp16", 0.6), ("int4", 0.45), ("int8-weights", 0.5)):
            out = self.made(scheme)
            after = first_outputs(out, self.inputs)
            alike = np.corrcoef(self.before.ravel(), after.ravel())[0, 1]
            self.assertLess(out.stat().st_size, most * size, scheme)
            self.assertGreater(alike, 0.93 if scheme == "int4" else 0.98, scheme)

    def test_static_ranges_make_a_row_independent_of_its_batch(self) -> None:
        out, together = self.made("int8-static"), self.reader.encode(TEXTS)
        alone, batched = first_outputs(out, self.inputs), first_outputs(out, together)
        self.assertLess(np.abs(alone - batched).max(), 1e-4)

    def test_only_products_with_a_constant_side_read_rounded_numbers(self) -> None:
        nodes = onnx.load(self.made("int8-static")).graph.node
        rounded = {node.output[0] for node in nodes if node.op_type == "DequantizeLinear"}
        readers = {node.op_type for node in nodes if rounded & set(node.input)}
        attention = next(node for node in nodes if node.name == "layers.0.qk")
        self.assertEqual((readers, rounded & set(attention.input)), ({"MatMul"}, set()))

    def test_the_same_graph_and_samples_give_the_same_bytes(self) -> None:
        first = self.made("int8-static").read_bytes()
        self.assertEqual(first, self.made("int8-static").read_bytes())

    def test_static_without_samples_is_refused(self) -> None:
        with self.assertRaisesRegex(QuantizeError, "--calibrate"):
            SCHEMES["int8-static"](onnx.load(self.folder / "model.onnx"), Options())

    def command(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, RECIPES / "quantize", *map(str, arguments)], capture_output=True, text=True)

    def test_a_dry_run_writes_nothing(self) -> None:
        out = self.folder / "dry" / "model.onnx"
        done = self.command(self.folder / "model.onnx", out, "--scheme", "fp16", "--dry-run")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(out.parent.exists())

    def test_a_wrong_file_gets_one_sentence_and_status_2(self) -> None:
        (self.folder / "text.onnx").write_text("no graph")
        for file in ("text.onnx", "missing.onnx"):
            done = self.command(self.folder / file, self.folder / "x.onnx", "--scheme", "fp16")
            self.assertEqual((done.returncode, done.stderr.count("\n"), done.stderr[:10]), (2, 1, "quantize: "))


if __name__ == "__main__":
    unittest.main()
