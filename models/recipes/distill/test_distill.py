"""Self-checks of the recipe on a tiny random teacher. In models/recipes: python -m unittest distill/test_distill.py"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np  # noqa: E402
import onnxruntime as ort  # noqa: E402

from classify import tiny  # noqa: E402
from distill import __main__ as command  # noqa: E402
from distill.agree import ranks, spearman  # noqa: E402
from distill.compose import inflect  # noqa: E402
from distill.graph import whole_numbers  # noqa: E402

TEXT = [" ".join(f"w{(i * 7 + j * (i % 5 + 3)) % 80}" for j in range(i % 9 + 2)) for i in range(300)]


class Recipe(unittest.TestCase):
    """Each test runs the command line on a teacher made on the spot."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.kept = tempfile.TemporaryDirectory()
        cls.root = Path(cls.kept.name)
        tiny.write_tiny(cls.root / "teacher")
        (cls.root / "text.txt").write_text("\n".join(TEXT), encoding="utf-8")
        pairs = [f"{i % 6}\t{TEXT[i]}\t{TEXT[i + 1]}" for i in range(60)]
        (cls.root / "pairs.tsv").write_text("\n".join(pairs), encoding="utf-8")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.kept.cleanup()

    def run_recipe(self, kind: str, *more: str, out: str = "out") -> tuple[int, str]:
        """Exit status and what was printed."""
        given = ["distill", kind, "--teacher", str(self.root / "teacher"), "--text", str(self.root / "text.txt"), "--tokens-max", "24"]
        given += ["--out", str(self.root / out), "--work", str(self.root / "work"), "--epochs", "2", *more]
        said, status = io.StringIO(), 0
        with mock.patch.object(sys, "argv", given), mock.patch.dict("os.environ", {"LEDGE_CLI": "false"}):
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                try:
                    command.main()
                except SystemExit as stopped:
                    status = int(stopped.code or 0)
        return status, said.getvalue()

    def check_package(self, out: str, width: int) -> dict:
        """The manifest, after its hashes, its graph and the independence of its rows were found right."""
        folder = self.root / out
        manifest = json.loads((folder / "model.json").read_text())
        for entry in [manifest["file"], *manifest["files"]]:
            content = (folder / entry["path"]).read_bytes()
            self.assertEqual((len(content), hashlib.sha256(content).hexdigest()), (entry["bytes"], entry["sha256"]))
        made = ort.InferenceSession(str(folder / "model.onnx")).run(None, {"input_ids": np.array([[2, 50, 3], [2, 3, 0]], np.int32)})[0]
        self.assertEqual(made.shape, (2, width))
        np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)
        self.assertLess(manifest["metrics"]["rowIndependenceMaxDifference"], 1e-6)
        return manifest

    def test_a_transformer_student_is_a_package_that_runs_and_beats_its_own_start(self) -> None:
        status, said = self.run_recipe("transformer", "--layers", "2", "--eval", str(self.root / "pairs.tsv"), "--batch", "8", out="two")
        self.assertEqual(status, 0, said)
        manifest = self.check_package("two", tiny.WIDTH)
        self.assertEqual(len(manifest["training"]["layers"]), 2)
        self.assertIn("student, int8", (self.root / "two" / "table.md").read_text())
        self.assertIn("Time and heap in workerd are left out", (self.root / "two" / "table.md").read_text())

    def test_all_layers_untrained_are_the_teacher(self) -> None:
        status, said = self.run_recipe("transformer", "--layers", "0,1,2", "--eval", str(self.root / "pairs.tsv"), "--epochs", "0", out="same")
        self.assertEqual(status, 0, said)
        rows = json.loads((self.root / "same" / "table.json").read_text())["rows"]
        self.assertAlmostEqual(rows[1]["pairs"]["all"]["ratio"], 1, places=3)
        self.assertEqual(self.check_package("same", tiny.WIDTH)["metrics"]["heldOutAgreement"]["cosine"], 1)

    def test_a_static_student_is_a_package_and_padding_adds_nothing(self) -> None:
        status, said = self.run_recipe("static", "--dimensions", "32", "--vocabulary", "120", out="bag")
        self.assertEqual(status, 0, said)
        self.assertFalse(self.check_package("bag", 32)["preprocess"]["specialTokens"])
        run = ort.InferenceSession(str(self.root / "bag" / "model.onnx"))
        short, long = (run.run(None, {"input_ids": np.array([ids], np.int32)})[0] for ids in ([20, 21], [20, 21, 0, 0, 0]))
        np.testing.assert_array_equal(short, long)
        self.assertEqual(float(np.abs(run.run(None, {"input_ids": np.zeros((1, 3), np.int32)})[0]).max()), 0)

    def test_the_same_command_again_asks_the_teacher_nothing_and_writes_the_same_graph(self) -> None:
        self.run_recipe("transformer", "--layers", "0,2", out="first")
        status, said = self.run_recipe("transformer", "--layers", "0,2", out="again")
        self.assertEqual(status, 0, said)
        self.assertNotIn("teacher: ", said)
        self.assertEqual((self.root / "first" / "model.onnx").read_bytes(), (self.root / "again" / "model.onnx").read_bytes())

    def test_a_dry_run_writes_nothing(self) -> None:
        status, said = self.run_recipe("static", "--dry-run", out="dry")
        self.assertEqual((status, (self.root / "dry").exists()), (0, False))
        self.assertIn("Dry run", said)

    def test_what_the_user_can_mend_is_one_sentence_and_status_2(self) -> None:
        for more, sentence in (
            (("--layers", "9"), "the teacher has 3"),
            (("--layers", "two"), "takes a number"),
            (("--layers", "2", "--eval", "nowhere.tsv"), "nowhere.tsv is missing"),
            (("--layers", "2", "--text", "nowhere.txt"), "nowhere.txt is missing"),
            (("--layers", "2", "--teacher", str(self.root)), "encoder of the BERT family"),
            (("--layers", "2", "--feed-forward", "9999"), "the teacher has 128"),
        ):
            status, said = self.run_recipe("transformer", *more, out="wrong")
            self.assertEqual(status, 2, said)
            self.assertIn(sentence, said)
            self.assertNotIn("Traceback", said)


class Numbers(unittest.TestCase):
    """The small functions."""

    def test_ranks_share_places_and_spearman_sees_order_only(self) -> None:
        self.assertEqual(ranks(np.array([3.0, 1.0, 3.0, 2.0])).tolist(), [2.5, 0, 2.5, 1])
        self.assertAlmostEqual(spearman(np.array([1.0, 2.0, 3.0]), np.array([1.0, 10.0, 1000.0])), 1)
        self.assertAlmostEqual(spearman(np.array([1.0, 2.0, 3.0]), np.array([9.0, 4.0, 1.0])), -1)

    def test_whole_numbers_are_within_half_a_step_and_zeros_stay_zeros(self) -> None:
        value = np.array([[0.5, -1.0], [0.0, 0.0]], np.float32)
        whole, scale = whole_numbers(value, axis=1, levels=63)
        self.assertLessEqual(float(np.abs(whole * scale - value).max()), float(scale.max()) / 2)
        self.assertEqual((whole.dtype, whole[1].tolist()), (np.int8, [0, 0]))

    def test_words_are_inflected_by_the_plain_rules(self) -> None:
        self.assertEqual([inflect(w, "ing") for w in ("run", "take", "see", "hold back")], ["running", "taking", "seeing", "holding back"])
        self.assertEqual([inflect(w, "s") for w in ("city", "box", "day")], ["cities", "boxes", "days"])


if __name__ == "__main__":
    unittest.main()
