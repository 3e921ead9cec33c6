"""Write test-pairs.txt: the pairs that the model is judged by and never saw, by hand (hand.txt) and by generator (families-test.txt).

    python testset.py            # writes ../test-pairs.txt; the same bytes every time
"""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

from families import Pair, draw_pair, plain, read_families, read_slots

HERE = Path(__file__).resolve().parent
COUNTS = {"paraphrase": 1100, "near-miss": 400, "polarity": 300, "number": 300, "entity": 350, "reversal": 250}
GREETINGS = ("Quick question: ", "Hey, ", "Hello there, ", "One thing: ", "So, ")
ENDINGS = (" Thanks!", " Thank you in advance.", " I'd be grateful.")
SHORT = {"what is": "what's", "how is": "how's", "where is": "where's", "do not": "don't", "I am": "I'm", "does not": "doesn't", "cannot": "can't", "who is": "who's"}


def by_hand() -> list[Pair]:
    """The pairs of hand.txt: group, first and second prompt."""
    rows = [line.split("\t") for line in (HERE / "hand.txt").read_text(encoding="utf-8").splitlines()]
    return [Pair(a, b, group == "paraphrase", group) for group, a, b in rows]


def dressed(text: str, draw: Random) -> str:
    """As people type: with or without capitals, question marks, greetings and short forms. Asks for the same."""
    for long, short in SHORT.items():
        if draw.random() < 0.5:
            text = text.replace(long, short)
    if draw.random() < 0.55:
        text = text[0].upper() + text[1:]
    if draw.random() < 0.06:
        text = draw.choice(GREETINGS) + text
    if draw.random() < 0.05:
        return text + draw.choice("?.!") + draw.choice(ENDINGS)
    text += draw.choice(("?", "?", ".", "", "", "", " ?"))
    return text


def generated(seed: int = 4) -> list[Pair]:
    """COUNTS of each group, the families in turn, no pair twice."""
    families, slots, draw = read_families(HERE / "families-test.txt"), read_slots(HERE / "slots-test.txt"), Random(seed)
    made: list[Pair] = []
    seen: set[frozenset[str]] = set()
    for group, count in COUNTS.items():
        able = [block for block in families.values() if any(draw_pair(group, block, slots, draw) for _ in range(50))]
        found: list[Pair] = []
        while len(found) < count:
            for block in able:
                pair = draw_pair(group, block, slots, draw)
                key = frozenset((plain(pair.a), plain(pair.b))) if pair else None
                if pair and key not in seen:
                    seen.add(key)
                    found.append(Pair(dressed(pair.a, draw), dressed(pair.b, draw), pair.same, pair.group))
        made += found[:count]
    return made


def rows() -> list[dict]:
    """The test set as written."""
    sides = (("hand", by_hand()), ("generator", generated()))
    return [{"a": p.a, "b": p.b, "same": p.same, "group": p.group, "by": by} for by, pairs in sides for p in pairs]


def main() -> None:
    """Write it."""
    lines = [json.dumps(row, ensure_ascii=False) for row in rows()]
    (HERE.parent / "test-pairs.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines)} pairs")


if __name__ == "__main__":
    main()
