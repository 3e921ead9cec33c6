"""Compose short sentences from WordNet's words: descriptions of scenes, news lines, questions, advice.

Why: glosses explain words, but people search with scenes, headlines and questions. The sentences are often odd, and that does no harm:
the teacher says what each one means, and the student learns that. Some come as families that differ in one word, so that the student
learns what a single word changes.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

COUNT, SEED = 90_000, 7
UNSEEN = 2e-4  # what a word counts that WordNet's own texts do not have
# The lexicographer files of WordNet (lexnames(5WN)) that each slot draws from.
SLOTS = {
    "person": ("n", {18}), "animal": ("n", {5}), "thing": ("n", {6}), "food": ("n", {13}), "place": ("n", {15, 6, 17}),
    "idea": ("n", {9, 10, 4, 7, 12, 26}), "group": ("n", {14}), "body": ("n", {8}), "nature": ("n", {17, 20, 19}),
    "time": ("n", {28}), "act": ("n", {4, 11}), "does": ("v", {35, 38, 36}), "says": ("v", {32, 31}), "acts": ("v", {41, 40, 33, 30}),
    "like": ("a", {0}), "how": ("r", {2}),
}  # fmt: skip
NUMBERS = "two three four five six seven eight nine ten a dozen 12 15 20 30 50 100 several many some".split()
COLOURS = "red blue green black white brown yellow orange grey pink purple golden dark bright".split()
TEMPLATES = """
a {like} {person} {does+ing} a {thing}
a {person} is {does+ing} a {thing} in the {place}
the {animal} is {does+ing} {where} the {thing}
a {colour} {thing} {where} a {colour} {thing}
a {colour} {animal} {does+ing} {where} a {nature}
{number} {person+s} {does+ing} {where} a {place}
{number} {animal+s} {where} the {nature}
a {person} and a {person} {does+ing} {where} a {thing}
the {person} in the {colour} {thing} {does+ing} a {animal}
close up of a {colour} {animal} with its {body} {where} a {thing}
{Name} {acts+s} {like} {idea} {person} over {act}
{Name} {group} {says+s} {idea} in {Name}
{number} {act+s} in {Name} {idea}
{Name} {person} {acts+s} {act} after {idea}
{Name} and {Name} {acts} on {idea}
{Name}'s {person} {says+s} {act} with {Name}
{group} {says+s} {number} {person+s} {where} {Name} {place}
you should {acts} your {idea} before you {does} the {thing}
I would not {acts} the {idea} because the {act} is {like}
what is the {like} way to {does} a {thing}
how do I {acts} a {idea} {how}
it depends on the {idea} and on the {act} of your {thing}
the {idea} of the {thing} is {how} {like}
is there a {thing} that can {does} {food} {how}
my {person} wants to {says} about the {food} and the {act}
if the {person} {acts+s} you, {says} the {idea}
in my {idea}, a {like} {person} {how} {acts+s} the {act}
the {like} {food} {where} the {thing} was {how} {like}
{person+s} who {does} {food} {how} {acts} their {body}
this {time} the {group} will {acts} the {idea}
{idea} and {act}
{like} {thing}
{person} {act} {idea}
"""
WHERE = "in,on,under,near,behind,next to,in front of,beside,over,across,inside,outside of,along,at".split(",")


def words(folder: Path) -> dict[str, tuple[list[str], list[float]]]:
    """For each slot its words and their running weights: by WordNet's own counts, flattened."""
    counts: dict[tuple[str, int, str], int] = defaultdict(int)
    for line in (folder / "cntlist.rev").read_text().splitlines():
        sense, _, count = line.split(" ")
        lemma, rest = sense.split("%")
        kind, lex = rest.split(":")[:2]
        counts["nvara"[int(kind) - 1], int(lex), lemma] += int(count)
    for part, kind in (("noun", "n"), ("verb", "v")):
        for line in (folder / f"data.{part}").read_text().splitlines():
            if not line.startswith("  "):
                counts[kind, int(line[9:11]), line.split(" ")[4]] += 0
    found = {}
    for slot, (kind, files) in SLOTS.items():
        plain = {k: n for k, n in counts.items() if k[0] == kind and k[1] in files and re.fullmatch("[a-z]+(_[a-z]+)?", k[2])}
        found[slot] = ([k[2].replace("_", " ") for k in plain], list(accumulate((n + UNSEEN) ** 0.6 for n in plain.values())))
    names = [k[2] for k in counts if k[0] == "n" and k[1] == 15 and re.fullmatch("[A-Z][a-z]+(_[A-Z][a-z]+)?", k[2])]
    even = {"Name": [name.replace("_", " ") for name in names], "number": NUMBERS, "colour": COLOURS, "where": WHERE}
    return found | {slot: (values, list(range(1, len(values) + 1))) for slot, values in even.items()}


def inflect(word: str, ending: str) -> str:
    """The plain English rules for `-s` and `-ing`, on the first word; irregular forms come out wrong, as they do in life."""
    first, space, rest = word.partition(" ")
    if ending == "ing":
        if re.fullmatch("[^aeiou]*[aeiou][bdgmnprt]", first):
            first += first[-1]
        first = re.sub("(?<=[^eoy])e$", "", first) + "ing"
    elif ending == "s":
        first = re.sub("(?<=[^aeiou])y$", "ie", first) + ("es" if re.search("(s|x|z|ch|sh)$", first) else "s")
    return first + space + rest


def composed(folder: str) -> Iterator[str]:
    """COUNT sentences; the same WordNet gives the same sentences."""
    stock, draw = words(Path(folder)), random.Random(SEED)
    templates = TEMPLATES.strip().splitlines()
    kept: dict[str, str] = {}

    def fill(match: re.Match[str]) -> str:
        """One slot: a new word, or in a family mostly the word that stood there before."""
        slot, _, ending = match.group(1).partition("+")
        key = f"{match.group(1)}{match.start()}"
        if key not in kept or draw.random() < 0.3:
            values, weights = stock[slot]
            kept[key] = inflect(draw.choices(values, cum_weights=weights)[0], ending)
        return kept[key]

    template = templates[0]
    for number in range(COUNT):
        if number % 3 == 0:
            template = draw.choice(templates)
            kept.clear()
        text = re.sub(r"\{([\w+]+)\}", fill, template)
        text = re.sub(r"\b(a|A) (?=[aeiou])", r"\1n ", text)
        yield text[0].upper() + text[1:] + draw.choice(["", ".", "."])
