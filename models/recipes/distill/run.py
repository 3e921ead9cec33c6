"""The steps of a distillation, in order: read, ask the teacher, train, export, compare."""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from distill import corpus, fit, graph, package, static, student, teacher
from distill.pairs import Pairs, read_pairs
from prune import vocabulary

HELD_OUT, SEARCHED, TOKENS_TAUGHT = 1500, 300, 64
RESERVED = re.compile(r"\[unused\d+\]")


@dataclass
class Job:
    """What the command line names, read and checked."""

    teacher: teacher.Teacher
    lines: list[str]
    described: dict
    pairs: Pairs | None


def prepare(args: argparse.Namespace) -> Job:
    """Read teacher, text and evaluation set; raise with one sentence for what is missing."""
    pairs = read_pairs(args.eval) if args.eval else None
    lines = corpus.compose(args.text, args.seed, args.rows)
    found = teacher.Teacher(args.teacher)
    described = json.loads(found.tokenizer.to_str())
    if args.tokens_max > found.model.config.max_position_embeddings:
        raise teacher.TeacherError(f"--tokens-max {args.tokens_max} is more than the teacher's {found.model.config.max_position_embeddings}.")
    return Job(found, lines, described, pairs)


def plan(args: argparse.Namespace, job: Job) -> str:
    """What is going to be done, in one sentence."""
    config = job.teacher.model.config
    kind = f"{args.layers} layers" if args.kind == "transformer" else f"static, {args.dimensions} dimensions"
    return (
        f"Teacher: {config.num_hidden_layers} layers, {config.hidden_size} wide, {config.vocab_size} word pieces. Student: {kind}, "
        f"{args.vocabulary or config.vocab_size} word pieces. {len(job.lines)} sentences, {held_out(job.lines)[1].size} of them held out; {args.epochs} epochs."
    )


def held_out(lines: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """The rows to train on, and the last ones, held out: at most a tenth."""
    count = len(lines) - min(HELD_OUT, max(1, len(lines) // 10))
    return np.arange(count), np.arange(count, len(lines))


def taught(args: argparse.Namespace, job: Job) -> tuple[corpus.Tokens, list[Path]]:
    """The teacher's tokens of all sentences, and the files of what it says of them."""
    tokens = corpus.tokenise(job.teacher.tokenizer, job.lines, min(TOKENS_TAUGHT, args.tokens_max), True)
    return tokens, teacher.fill_cache(job.teacher, tokens, args.work)


def kept_pieces(args: argparse.Namespace, job: Job) -> tuple[dict, list[int]]:
    """The student's tokenizer.json, and the teacher's ids of its word pieces.

    Of `--vocabulary` pieces those go that can't matter: the ones that BERT reserves (`[unused7]`), and single
    characters outside ASCII that the text never uses.
    """
    if not args.vocabulary:
        return job.described, list(range(job.teacher.model.config.vocab_size))
    counts = vocabulary.count_pieces(job.described, job.lines)
    letter = lambda piece: len(piece.removeprefix("##")) == 1
    vain = {
        i for piece, i in job.described["model"]["vocab"].items()
        if RESERVED.fullmatch(piece) or (letter(piece) and not piece.isascii() and not counts[piece])
    }  # fmt: skip
    kept = [i for i in vocabulary.kept_ids(job.described, counts, args.vocabulary) if i not in vain]
    return vocabulary.renumbered(job.described, kept), kept


def chosen_layers(args: argparse.Namespace, job: Job, tokens: corpus.Tokens, vectors: np.ndarray) -> tuple[int, ...]:
    """The layers that `--layers` names, or the best choice of so many, by sentences that are not held out."""
    whole = job.teacher.model.config.num_hidden_layers
    try:
        numbers = tuple(int(number) for number in args.layers.split(","))
    except ValueError:
        raise student.StudentError("--layers takes a number, or layer numbers with commas between them: 0,2,4,5.") from None
    if "," in args.layers:
        if not all(0 <= number < whole for number in numbers):
            raise student.StudentError(f"--layers {args.layers}: the teacher's layers are 0 to {whole - 1}.")
        return numbers
    if not 1 <= numbers[0] <= whole:
        raise student.StudentError(f"--layers {args.layers}: the teacher has {whole}.")
    rows = np.flatnonzero(tokens.lengths[:SEARCHED] <= 24)
    return student.best_layers(job.teacher, numbers[0], tokens.padded(rows, 0), vectors[rows])


def transformer(args: argparse.Namespace, job: Job, settings: fit.Settings, training: dict) -> str:
    """Make the package of a transformer student; the table's text."""
    tokens, files = taught(args, job)
    lesson = fit.Lesson(tokens, teacher.vectors_of(files), teacher.states_of(files), teacher.SHARD)
    layers = chosen_layers(args, job, tokens, lesson.vectors)
    every = list(range(job.teacher.model.config.vocab_size))
    made = student.from_teacher(job.teacher, every, layers, args.feed_forward, args.tokens_max)
    name = f"{args.name}-{'-'.join(map(str, layers))}-{made.shape.feed_forward}-{settings.epochs}-{settings.batch}-{settings.rate}-{settings.seed}.pt"
    train, rest = held_out(job.lines)
    training |= {"sentences": len(train), "layers": list(layers), "feedForward": made.shape.feed_forward}
    agreed = fit.fit(made, lesson, train, rest, settings, args.work / name)
    described, kept = kept_pieces(args, job)
    student.keep_pieces(made, kept)
    tokenizer = package.write_tokenizer(described, args.out)
    graph.save(graph.of_student(made.eval(), True), args.out / "model.onnx")
    graph.save(graph.of_student(made, False), args.work / "student.float32.onnx")
    about = f"English sentences to {made.shape.width} numbers, alike for alike meanings: {len(layers)} layers distilled from a larger embedder."
    named = package.Named(args.name, args.version, about, args.tokens_max, True, training)
    return finish(args, job, tokenizer, named, agreed)


def static_bag(args: argparse.Namespace, job: Job, settings: static.Settings, training: dict) -> str:
    """Make the package of a static student; the table's text."""
    _, files = taught(args, job)
    vectors, (train, rest) = teacher.vectors_of(files), held_out(job.lines)
    described, kept = kept_pieces(args, job)
    tokenizer = Tokenizer.from_str(json.dumps(described))
    tokens = corpus.tokenise(tokenizer, job.lines, min(TOKENS_TAUGHT, args.tokens_max), False)
    turn = static.projection(vectors[train], args.dimensions)
    share = static.frequencies(tokens, train, len(kept))
    bag = static.Bag(static.first_table(static.alone(job.teacher, kept, args.work), turn, share))
    agreed = static.fit(bag, tokens, static.projected(vectors, turn), vectors, (train, rest), settings)
    tokenizer = package.write_tokenizer(described, args.out)
    graph.save(graph.of_bag(bag, True), args.out / "model.onnx")
    graph.save(graph.of_bag(bag, False), args.work / "student.float32.onnx")
    training |= {"sentences": len(train), "dimensions": args.dimensions}
    about = f"English sentences to {args.dimensions} numbers, alike for alike meanings: the sum of one vector a word piece, distilled from a larger embedder."
    return finish(args, job, tokenizer, package.Named(args.name, args.version, about, args.tokens_max, False, training), agreed)


def finish(args: argparse.Namespace, job: Job, tokenizer: Tokenizer, named: package.Named, agreed: dict) -> str:
    """Check and compare the graph, and write what lies beside it."""
    whole = job.teacher.model.config.num_hidden_layers
    every = list(range(job.teacher.model.config.vocab_size))
    original = student.from_teacher(job.teacher, every, tuple(range(whole)), None, args.tokens_max).eval()
    graph.save(graph.of_student(original, False), args.work / "teacher.float32.onnx")
    own = (tokenizer, args.tokens_max, named.special)
    rows, notes = package.compare({
        "teacher, float32": (args.work / "teacher.float32.onnx", (job.teacher.tokenizer, args.tokens_max, True)),
        "student, float32": (args.work / "student.float32.onnx", own),
        "student, int8": (args.out / "model.onnx", own),
    }, job.pairs)  # fmt: skip
    package.write_golden(args.out, tokenizer, named)
    metrics = {"heldOutAgreement": agreed, "nativeOneThreadMilliseconds16Tokens": rows[-1]["nativeMs"]}
    metrics["rowIndependenceMaxDifference"] = package.row_independence(args.out / "model.onnx", own, job.lines[-64:])
    if job.pairs:
        metrics |= {"dataset": args.eval.name, "pairs": rows[-1]["pairs"]}
    package.write_manifest(args.out, named, metrics, rows[-1].get("workerd"))
    return package.write_table(args.out, rows, notes)
