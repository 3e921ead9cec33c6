"""The pairs to train on and to calibrate by: from families, and from edits of requests.

One family of eight and every fifth value of a slot are kept for calibration (`dev`) and never trained on.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import edits
import wordnet
from families import Meaning, Pair, Slot, Slots, draw_pair, lines_of, plain, read_families, read_slots, strangers

HERE = Path(__file__).resolve().parent
HELD_OUT = 5
HELD_OUT_FAMILIES = 8
GROUPS = {"paraphrase": 0.52, "near-miss": 0.2, "entity": 0.08, "number": 0.03, "polarity": 0.09, "reversal": 0.08}
NATURAL = 0.12
EDITED = 0.06
STRANGERS = 0.04


class OverlapError(Exception):
    """Something of the test set is in the training set. The message names it."""


@dataclass(frozen=True)
class Source:
    """What pairs are drawn from: blocks able to give a pair of each group, slots, and spoken requests where wanted."""

    able: dict[str, list[list[Meaning]]]
    slots: Slots
    spoken: list[str]


def test_prompts() -> set[str]:
    """Every prompt of the test set, without its dress."""
    rows = [json.loads(line) for line in (HERE.parent / "test-pairs.txt").read_text(encoding="utf-8").splitlines()]
    return {plain(row[side]) for row in rows for side in "ab"}


def all_families() -> dict[str, list[Meaning]]:
    """The blocks of all files to train on, without frames that the test set has too."""
    test = {plain(frame) for block in read_families(HERE / "families-test.txt").values() for meaning in block for frame in meaning.frames}
    paths = [path for path in sorted(HERE.glob("families-*.txt")) if path.name != "families-test.txt"]
    found = {f"{path.stem}/{name}": block for path in paths for name, block in read_families(path).items()}
    kept = lambda meaning: replace(meaning, frames=[frame for frame in meaning.frames if plain(frame) not in test])
    return {name: [kept(meaning) for meaning in block] for name, block in found.items()}


def tasks() -> Slot:
    """What may be done to a thing, from tasks.txt; near are the tasks with the same thing."""
    values: list[list[str]] = []
    near: dict[str, list[list[str]]] = {}
    for line in lines_of(HERE / "tasks.txt"):
        thing, verbs = line.split(": ")
        mine = [[f"{verb} {thing}" for verb in verb_group.split("=")] for verb_group in verbs.split("|")]
        values += mine
        near |= {value[0]: [other for other in mine if other is not value] for value in mine}
    return Slot("entity", values, near)


def files_of_slots() -> Slots:
    """The slots of all files to train on, without values that the test set has too. No two files may have a slot of one name."""
    taken = {one.lower() for slot in read_slots(HERE / "slots-test.txt").values() if slot.kind == "entity" for value in slot.values for one in value}
    apart = lambda slot: [v for v in slot.values if slot.kind != "entity" or not taken & {one.lower() for one in v}]
    made: Slots = {}
    for path in sorted(HERE.glob("slots-*.txt")):
        found = read_slots(path) if path.name != "slots-test.txt" else {}
        if twice := made.keys() & found.keys():
            raise OverlapError(f"In {path.name} and in another file: {', '.join(sorted(twice))}")
        made |= {name: replace(slot, values=apart(slot)) for name, slot in found.items()}
    return made


def all_slots(wordnet_folder: Path) -> Slots:
    """The slots to train on, with those from WordNet, which lack every word of a value of the test set."""
    taken = {word for slot in read_slots(HERE / "slots-test.txt").values() for value in slot.values for one in value for word in one.lower().split()}
    lexicon = wordnet.read(wordnet_folder, taken)
    nouns = Slot("entity", lexicon.nouns, lexicon.near)
    words = Slot("entity", [value[:1] for value in lexicon.nouns], {name: [v[:1] for v in near] for name, near in lexicon.near.items()})
    return files_of_slots() | {"task": tasks(), "noun": nouns, "word": words, "quality": Slot("entity", lexicon.qualities, lexicon.near)}


def assert_apart(families: dict[str, list[Meaning]], slots: Slots) -> None:
    """No frame, and no value of an entity slot, is both of the test and of the training set."""
    test_slots, test = read_slots(HERE / "slots-test.txt"), read_families(HERE / "families-test.txt")
    frames = lambda blocks: {plain(frame) for block in blocks.values() for meaning in block for frame in meaning.frames}
    values = lambda found: {one.lower() for slot in found.values() if slot.kind == "entity" for value in slot.values for one in value}
    shared = (frames(families) & frames(test)) | (values(slots) & values(test_slots))
    if shared:
        raise OverlapError(f"In the test set and in the training set: {', '.join(sorted(shared))}")


def parted(slots: Slots, held_out: bool) -> Slots:
    """Every fifth value, or all the others; slots of few values are whole in both."""
    pick = lambda values: [v for at, v in enumerate(values) if (at % HELD_OUT == 0) == held_out]
    return {name: replace(slot, values=pick(slot.values)) if len(slot.values) >= 3 * HELD_OUT else slot for name, slot in slots.items()}


def source(families: dict[str, list[Meaning]], slots: Slots, spoken: list[str], held_out: bool) -> Source:
    """One side of the corpus. Without spoken requests (none) it is families only, none edited: that is what one calibrates by."""
    mine, draw = parted(slots, held_out), Random(1)
    blocks = [block for name, block in families.items() if (zlib.crc32(name.encode()) % HELD_OUT_FAMILIES == 0) == held_out]
    able = {group: [b for b in blocks if any(draw_pair(group, b, mine, draw) for _ in range(40))] for group in GROUPS}
    return Source(able, mine, spoken)


def loosened(text: str, draw: Random) -> str:
    """Now and then other words for the same."""
    if draw.random() < 0.2:
        text = edits.begun(text, draw) or text
    for chance in (0.35, 0.15):
        if draw.random() < chance:
            text = edits.rewritten(text, draw) or text
    return text


def edited(a: str, b: str, draw: Random) -> Pair | None:
    """Two prompts that want the same, the second changed so that it doesn't."""
    group = "ask" if edits.beginning(b) and draw.random() < 0.5 else draw.choice(list(edits.DIFFERENT))
    changed = edits.DIFFERENT[group](b, draw)
    return Pair(a, changed, False, group) if changed and changed != b else None


def from_families(side: Source, draw: Random) -> Pair | None:
    """A pair of one block."""
    if draw.random() < STRANGERS:
        return strangers(draw.choice(side.able["paraphrase"]), side.able["paraphrase"], side.slots, draw)
    group = draw.choices(list(GROUPS), list(GROUPS.values()))[0]
    found = draw_pair(group, draw.choice(side.able[group]), side.slots, draw)
    if side.spoken and found and found.same and draw.random() < EDITED:
        return edited(found.a, found.b, draw)
    return found


def from_requests(requests: list[str], draw: Random) -> Pair | None:
    """A spoken request and itself in other words, its own edit, or any other request."""
    chance, text = draw.random(), draw.choice(requests)
    if chance < 0.4:
        return Pair(text, edits.rewritten(edits.rewritten(text, draw) or text, draw) or text, True, "paraphrase")
    if chance < 0.5:
        return Pair(text, draw.choice(requests), False, "near-miss")
    return edited(text, text, draw)


def pairs(side: Source, count: int, seed: int) -> list[Pair]:
    """So many pairs, dressed as people type, none with a prompt of the test set."""
    draw, forbidden, made = Random(seed), test_prompts(), []
    while len(made) < count:
        found = from_requests(side.spoken, draw) if side.spoken and draw.random() < NATURAL else from_families(side, draw)
        if not found or plain(found.a) in forbidden or plain(found.b) in forbidden:
            continue
        a, b = (edits.dressed(loosened(text, draw), draw) for text in (found.a, found.b))
        if not found.same and plain(a) == plain(b):
            continue
        made.append(Pair(*((a, b) if draw.random() < 0.5 else (b, a)), found.same, found.group))
    return made
