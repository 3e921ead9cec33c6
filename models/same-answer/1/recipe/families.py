"""Families of prompts in a small notation, and pairs of prompts drawn from them.

A file of families holds blocks. A block starts with its name in brackets; a line that starts with `=` begins a *meaning*; the lines after it are
frames, all of which ask for the same. In a frame `(a|b|)` is a choice and `{city}` a slot, `{city.2}` another value of the same slot:

    [opening-hours]
    =
    when does the (shop|store) in {city} open
    = polarity
    when does the (shop|store) in {city} close

The word after `=` is the group of pairs with the meaning just before it; pairs with earlier meanings are `near-miss`. `symmetric` after it says
that {city} and {city.2} may change places without changing what is asked. A slot file has one line a slot: `city entity: Rome|New York=NYC`,
the kind (`entity` or `number`) being the group of pairs that differ in it, and `=` joining spellings of one value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from random import Random

CHOICE = re.compile(r"\(([^()]*\|[^()]*)\)")
SLOT = re.compile(r"\{([a-z]+)(\.2)?\}")
SYMBOL = re.compile(r"^[^\w`\"$+-]+|[^\w`\"%)+-]+$")


@dataclass(frozen=True)
class Pair:
    """Two prompts, and whether they want the same answer. `group` says how they differ."""

    a: str
    b: str
    same: bool
    group: str


@dataclass
class Meaning:
    """Frames that ask for the same. `group`: of pairs with the meaning before it."""

    group: str
    symmetric: bool
    frames: list[str] = field(default_factory=list)

    def slots(self) -> list[tuple[str, str]]:
        """The slots of all frames, in the order of the first frames that have them."""
        return list(dict.fromkeys(found for frame in self.frames for found in SLOT.findall(frame)))


@dataclass(frozen=True)
class Slot:
    """The values of a slot, each a list of spellings. `kind`: entity or number. `near`: to a first spelling, values easily taken for that one."""

    kind: str
    values: list[list[str]]
    near: dict[str, list[list[str]]] = field(default_factory=dict)

    def other(self, taken: list[list[str]], of: list[str], draw: Random) -> list[str]:
        """A value that is none of those taken; half of the time one near to `of`."""
        near = [value for value in self.near.get(of[0], []) if value not in taken]
        return draw.choice(near) if near and draw.random() < 0.5 else draw.choice([value for value in self.values if value not in taken])


Slots = dict[str, Slot]
Filling = dict[tuple[str, str], list[str]]


def lines_of(path: Path) -> list[str]:
    """The lines that say something."""
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")]


def read_slots(path: Path) -> Slots:
    """A slot file."""
    made: Slots = {}
    for line in lines_of(path):
        head, values = line.split(": ", 1)
        name, kind = head.split()
        made[name] = Slot(kind, [value.split("=") for value in values.split("|")])
    return made


def read_families(path: Path) -> dict[str, list[Meaning]]:
    """A file of families: the meanings of each block."""
    made: dict[str, list[Meaning]] = {}
    for line in lines_of(path):
        if line.startswith("["):
            block = made.setdefault(line.strip("[]"), [])
        elif line.startswith("="):
            words = line[1:].split()
            block.append(Meaning(next((w for w in words if w != "symmetric"), "near-miss"), "symmetric" in words))
        else:
            block[-1].frames.append(line)
    return made


def filling(meanings: list[Meaning], slots: Slots, draw: Random) -> Filling:
    """A value for every slot of these meanings; the two values of one slot differ."""
    made: Filling = {}
    for name, second in dict.fromkeys(found for meaning in meanings for found in meaning.slots()):
        other = made.get((name, "" if second else ".2"))
        made[name, second] = draw.choice([value for value in slots[name].values if value != other])
    return made


def spelled(frame: str, filled: Filling, draw: Random) -> str:
    """The frame with every choice made and every slot filled."""
    while CHOICE.search(frame):
        frame = CHOICE.sub(lambda found: draw.choice(found[1].split("|")), frame)
    return " ".join(SLOT.sub(lambda found: draw.choice(filled[found[1], found[2] or ""]), frame).split())


def two_frames(meaning: Meaning, draw: Random) -> tuple[str, str]:
    """Two different frames; the same one twice where there is only one."""
    return tuple(draw.sample(meaning.frames, 2)) if len(meaning.frames) > 1 else (meaning.frames[0],) * 2


def nearest_frame(frame: str, frames: list[str]) -> str:
    """The frame that shares most words: the hardest to tell apart."""
    return max(frames, key=lambda other: likeness(frame, other))


def likeness(one: str, other: str) -> float:
    """The share of their words that two frames have in common."""
    words, others = set(one.split()), set(other.split())
    return len(words & others) / len(words | others)


def far_frames(meaning: Meaning, draw: Random) -> tuple[str, str]:
    """Two frames; half of the time, of several draws the two that share fewest words."""
    drawn = [two_frames(meaning, draw) for _ in range(4 if draw.random() < 0.5 else 1)]
    return min(drawn, key=lambda two: likeness(*two))


def same(meaning: Meaning, slots: Slots, draw: Random) -> Pair:
    """One meaning in two frames."""
    filled, (first, second) = filling([meaning], slots, draw), far_frames(meaning, draw)
    other = exchanged(filled) if meaning.symmetric and draw.random() < 0.5 else filled
    return Pair(spelled(first, filled, draw), spelled(second, other, draw), True, "paraphrase")


def exchanged(filled: Filling) -> Filling:
    """The two values of each slot with two in each other's place."""
    swap = {"": ".2", ".2": ""}
    return {(name, second): filled.get((name, swap[second]), value) for (name, second), value in filled.items()}


def reversed_pair(meaning: Meaning, slots: Slots, draw: Random) -> Pair | None:
    """One meaning, the two values of a slot having changed places."""
    if meaning.symmetric or not any(second for _, second in meaning.slots()):
        return None
    filled, frames = filling([meaning], slots, draw), frames_apart(meaning, draw)
    return Pair(spelled(frames[0], filled, draw), spelled(frames[1], exchanged(filled), draw), False, "reversal")


def frames_apart(meaning: Meaning, draw: Random) -> tuple[str, str]:
    """Mostly one frame twice, so that little else differs; otherwise two."""
    frame = draw.choice(meaning.frames)
    return (frame, frame) if draw.random() < 0.6 else two_frames(meaning, draw)


def changed(meaning: Meaning, kind: str, slots: Slots, draw: Random) -> Pair | None:
    """One meaning, with another value in one slot of this kind."""
    mine = [slot for slot in meaning.slots() if slots[slot[0]].kind == kind]
    if not mine:
        return None
    filled, (name, second), frames = filling([meaning], slots, draw), draw.choice(mine), frames_apart(meaning, draw)
    taken = [value for (other, _), value in filled.items() if other == name]
    value = slots[name].other(taken, filled[name, second], draw)
    choice = Random(draw.random())
    state = choice.getstate()
    first = spelled(frames[0], filled, choice)
    if frames[0] == frames[1]:
        choice.setstate(state)
    return Pair(first, spelled(frames[1], filled | {(name, second): value}, choice), False, kind)


def neighbours(meanings: list[Meaning], group: str, slots: Slots, draw: Random) -> Pair | None:
    """Two meanings of a block, with the same values."""
    pairs = [(a, b) for a, b in combinations(range(len(meanings)), 2) if (meanings[b].group if b == a + 1 else "near-miss") == group]
    if not pairs:
        return None
    one, two = (meanings[at] for at in draw.choice(pairs))
    filled, frame = filling([one, two], slots, draw), draw.choice(one.frames)
    other = nearest_frame(frame, two.frames) if draw.random() < 0.7 else draw.choice(two.frames)
    return Pair(spelled(frame, filled, draw), spelled(other, filled, draw), False, group)


def strangers(block: list[Meaning], blocks: list[list[Meaning]], slots: Slots, draw: Random) -> Pair | None:
    """Meanings of two blocks that speak of the same things, with the same values."""
    one = draw.choice(block)
    names = {name for name, _ in one.slots()}
    others = [meaning for other in draw.sample(blocks, min(60, len(blocks))) if other is not block for meaning in other]
    fitting = [meaning for meaning in others if names & {name for name, _ in meaning.slots()}]
    if not fitting:
        return None
    other = max(draw.sample(fitting, min(4, len(fitting))), key=lambda m: len(names & {name for name, _ in m.slots()}))
    filled, frame = filling([one, other], slots, draw), draw.choice(one.frames)
    return Pair(spelled(frame, filled, draw), spelled(nearest_frame(frame, other.frames), filled, draw), False, "near-miss")


def draw_pair(group: str, meanings: list[Meaning], slots: Slots, draw: Random) -> Pair | None:
    """A pair of this group from one block, or None when the block has none."""
    meaning = draw.choice(meanings)
    if group == "paraphrase":
        found = same(meaning, slots, draw)
    elif group in ("entity", "number"):
        found = changed(meaning, group, slots, draw)
    else:
        swapped = reversed_pair(meaning, slots, draw) if group == "reversal" else None
        found = swapped or neighbours(meanings, group, slots, draw)
    if found is None or plain(found.a) == plain(found.b):
        return None
    return found if draw.random() < 0.5 else Pair(found.b, found.a, found.same, found.group)


def plain(text: str) -> str:
    """Without what only dresses a prompt: case, spaces and punctuation at its ends."""
    return SYMBOL.sub("", " ".join(text.lower().split()))
