"""The pairs to train on and to calibrate by: from families, from edits of requests, and from requests that lie near each other.

Every fifth family and every fifth value of a slot is kept for calibration (`dev`) and never trained on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import edits
import wordnet
from clinc import Natural
from families import Meaning, Pair, Slot, Slots, draw_pair, lines_of, plain, read_families, read_slots

HERE = Path(__file__).resolve().parent
FILES = ("money-and-travel", "computers", "knowledge", "life", "assistant", "general")
HELD_OUT = 5
GROUPS = {"paraphrase": 0.52, "near-miss": 0.17, "entity": 0.07, "number": 0.05, "polarity": 0.09, "reversal": 0.1}
NATURAL = 0.2
EDITED = 0.2


class OverlapError(Exception):
    """Something of the test set is in the training set. The message names it."""


@dataclass(frozen=True)
class Source:
    """What pairs are drawn from: blocks able to give a pair of each group, slots, and spoken requests where wanted."""

    able: dict[str, list[list[Meaning]]]
    slots: Slots
    spoken: Natural | None


def test_prompts() -> set[str]:
    """Every prompt of the test set, without its dress."""
    rows = [json.loads(line) for line in (HERE.parent / "test-pairs.txt").read_text(encoding="utf-8").splitlines()]
    return {plain(row[side]) for row in rows for side in "ab"}


def all_families() -> dict[str, list[Meaning]]:
    """The blocks of all files to train on."""
    return {name: block for file in FILES for name, block in read_families(HERE / f"families-{file}.txt").items()}


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


def all_slots(wordnet_folder: Path) -> Slots:
    """The slots to train on, with those from WordNet, which lack every word of a value of the test set."""
    taken = {word for slot in read_slots(HERE / "slots-test.txt").values() for value in slot.values for one in value for word in one.lower().split()}
    lexicon = wordnet.read(wordnet_folder, taken)
    nouns = Slot("entity", lexicon.nouns, lexicon.near)
    words = Slot("entity", [value[:1] for value in lexicon.nouns], {name: [v[:1] for v in near] for name, near in lexicon.near.items()})
    return read_slots(HERE / "slots-train.txt") | {"task": tasks(), "noun": nouns, "word": words, "quality": Slot("entity", lexicon.qualities, lexicon.near)}


def assert_apart(families: dict[str, list[Meaning]], slots: Slots) -> None:
    """No frame, and no value of an entity slot, is both of the test and of the training set."""
    test_slots, test = read_slots(HERE / "slots-test.txt"), read_families(HERE / "families-test.txt")
    frames = lambda blocks: {plain(frame) for block in blocks.values() for meaning in block for frame in meaning.frames}
    values = lambda found: {one.lower() for slot in found.values() if slot.kind == "entity" for value in slot.values for one in value}
    shared = (frames(families) & frames(test)) | (values(slots) & values(test_slots)) | (set(families) & set(test))
    if shared:
        raise OverlapError(f"In the test set and in the training set: {', '.join(sorted(shared))}")


def parted(slots: Slots, held_out: bool) -> Slots:
    """Every fifth value, or all the others; slots of few values are whole in both."""
    pick = lambda values: [v for at, v in enumerate(values) if (at % HELD_OUT == 0) == held_out]
    return {name: replace(slot, values=pick(slot.values)) if len(slot.values) >= 3 * HELD_OUT else slot for name, slot in slots.items()}


def source(families: dict[str, list[Meaning]], slots: Slots, spoken: Natural | None, held_out: bool) -> Source:
    """One side of the corpus. Without spoken requests it is families only, none edited: that is what one calibrates by."""
    mine, draw = parted(slots, held_out), Random(1)
    blocks = [block for at, block in enumerate(families.values()) if (at % HELD_OUT == HELD_OUT - 1) == held_out]
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
    group = draw.choices(list(GROUPS), list(GROUPS.values()))[0]
    found = draw_pair(group, draw.choice(side.able[group]), side.slots, draw)
    if side.spoken and found and found.same and draw.random() < EDITED:
        return edited(found.a, found.b, draw)
    return found


def from_requests(spoken: Natural, draw: Random) -> Pair | None:
    """A pair of spoken requests: near ones, or one and its own edit."""
    chance, text = draw.random(), draw.choice(spoken.requests)
    if chance < 0.25:
        return Pair(*draw.choice(spoken.same), True, "paraphrase")
    if chance < 0.5:
        return Pair(text, edits.rewritten(edits.rewritten(text, draw) or text, draw) or text, True, "paraphrase")
    if chance < 0.75:
        return Pair(*draw.choice(spoken.different), False, "near-miss")
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
