"""Words of WordNet 3.0 (Debian package wordnet-base, folder usr/share/wordnet): frequent nouns and adjectives with synonyms and neighbours."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

NOUN, ADJECTIVE = "1", ("3", "5")


@dataclass(frozen=True)
class Lexicon:
    """`nouns` and `qualities`: values as in a slot file, each a list of spellings. `near`: to a value's first spelling, values easily taken for it."""

    nouns: list[list[str]]
    qualities: list[list[str]]
    near: dict[str, list[list[str]]]


def counts(folder: Path) -> tuple[Counter[str], Counter[str]]:
    """How often each noun and each adjective was tagged."""
    nouns, adjectives = Counter(), Counter()
    for line in (folder / "cntlist.rev").read_text().splitlines():
        key, _, count = line.split()
        lemma, kind = key.split("%")
        if lemma.isalpha() and lemma.islower() and len(lemma) > 2:
            if kind[0] == NOUN:
                nouns[lemma] += int(count)
            elif kind[0] in ADJECTIVE:
                adjectives[lemma] += int(count)
    return nouns, adjectives


def first_senses(folder: Path, kind: str) -> dict[str, str]:
    """To each lemma the offset of its most frequent sense."""
    made = {}
    for line in (folder / f"index.{kind}").read_text().splitlines():
        if not line.startswith(" "):
            fields = line.split()
            made[fields[0]] = fields[-int(fields[2])]
    return made


def pointers(folder: Path, kind: str, symbol: str) -> dict[str, list[str]]:
    """To each synset the synsets that one kind of pointer leads to."""
    made: dict[str, list[str]] = {}
    for line in (folder / f"data.{kind}").read_text().splitlines():
        if not line.startswith(" "):
            fields = line.split(" | ")[0].split()
            made[fields[0]] = [fields[at + 1] for at, field in enumerate(fields) if field == symbol and at > 4]
    return made


def spellings(lemmas: list[str], senses: dict[str, str]) -> list[list[str]]:
    """The lemmas, those with one first sense together."""
    together: dict[str, list[str]] = defaultdict(list)
    for lemma in lemmas:
        together[senses[lemma]].append(lemma)
    return list(together.values())


def read(folder: Path, without: set[str], most: int = 4000) -> Lexicon:
    """The lexicon, less the words of the test set."""
    if not (folder / "index.noun").is_file():
        raise SystemExit(f"{folder} holds no WordNet: give the folder usr/share/wordnet of the Debian package wordnet-base.")
    nouns, adjectives = counts(folder)
    senses, qualities = first_senses(folder, "noun"), first_senses(folder, "adj")
    fit = lambda found, known, least: [w for w, n in found.most_common(most) if n >= least and w in known and w not in without]
    values, adjs = spellings(fit(nouns, senses, 3), senses), spellings([w for w in fit(adjectives, qualities, 5) if w not in nouns], qualities)
    near: dict[str, list[list[str]]] = defaultdict(list)
    above, against = pointers(folder, "noun", "@"), pointers(folder, "adj", "!")
    siblings: dict[str, list[list[str]]] = defaultdict(list)
    for value in values:
        for up in above.get(senses[value[0]], []):
            siblings[up].append(value)
    for value in values:
        near[value[0]] = [other for up in above.get(senses[value[0]], []) for other in siblings[up] if other is not value]
    by_sense = {qualities[value[0]]: value for value in adjs}
    for value in adjs:
        near[value[0]] = [by_sense[other] for other in against.get(qualities[value[0]], []) if other in by_sense]
    return Lexicon(values, adjs, dict(near))
