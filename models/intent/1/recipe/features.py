"""Text to feature ids: the hashing that the Worker repeats in TypeScript, byte for byte.

Why on bytes: UTF-8 bytes and 32-bit integers are the same in every language; Unicode tables,
regular expression classes and floats are not. README.md gives the same algorithm in words.
"""

from __future__ import annotations

from functools import lru_cache

PREPROCESS: dict = {
    "kind": "feature-hashing",
    "encoding": "utf-8",
    "lowercase": "ascii",
    "wordBytes": [[39, 39], [48, 57], [97, 122], [128, 255]],
    "hash": {"kind": "fnv1a-32", "basis": 2166136261, "prime": 16777619},
    "families": [
        {"kind": "words", "n": 1, "seed": 1, "offset": 1, "buckets": 4093},
        {"kind": "words", "n": 2, "seed": 2, "offset": 4094, "buckets": 6133, "start": 60, "end": 62, "join": 32},
        {"kind": "chars", "min": 3, "max": 5, "seed": 3, "offset": 10227, "buckets": 9973, "start": 60, "end": 62},
    ],
    "duplicates": "keep",
    "padId": 0,
    "maxIds": 1024,
}


def table_rows(spec: dict) -> int:
    """Rows of the embedding table: the padding row and every bucket."""
    return max(f["offset"] + f["buckets"] for f in spec["families"])


def fnv1a(data: bytes, seed: int, spec: dict) -> int:
    """FNV-1a, 32 bits, with the seed mixed into the basis."""
    value = spec["hash"]["basis"] ^ seed
    for byte in data:
        value = ((value ^ byte) * spec["hash"]["prime"]) & 0xFFFFFFFF
    return value


def words_of(text: str, spec: dict) -> list[bytes]:
    """The maximal runs of word bytes, after ASCII lower-casing."""
    allowed = {b for low, high in spec["wordBytes"] for b in range(low, high + 1)}
    lowered = text.encode("utf-8").lower()  # bytes.lower() touches A-Z only
    spaced = bytes(b if b in allowed else 32 for b in lowered)
    return [word for word in spaced.split(b" ") if word]


class Hasher:
    """Feature ids for texts under one `preprocess` object."""

    def __init__(self, spec: dict) -> None:
        self.spec = spec
        self.grams = lru_cache(maxsize=100_000)(self._grams)

    def _id(self, data: bytes, family: dict) -> int:
        return family["offset"] + fnv1a(data, family["seed"], self.spec) % family["buckets"]

    def _grams(self, word: bytes, at: int) -> list[int]:
        """Ids of the byte n-grams of one word, shortest first, left to right."""
        family = self.spec["families"][at]
        padded = bytes([family["start"]]) + word + bytes([family["end"]])
        sizes = range(family["min"], family["max"] + 1)
        return [self._id(padded[i : i + n], family) for n in sizes for i in range(len(padded) - n + 1)]

    def with_owners(self, text: str) -> list[tuple[int, int]]:
        """(id, index of the word it comes from) in order; training drops whole words by it."""
        words, found = words_of(text, self.spec), []
        for at, family in enumerate(self.spec["families"]):
            if family["kind"] == "chars":
                found += [(i, owner) for owner, word in enumerate(words) for i in self.grams(word, at)]
            elif family["n"] == 1:
                found += [(self._id(word, family), owner) for owner, word in enumerate(words)]
            else:
                found += self._pairs(words, family)
        return found[: self.spec["maxIds"]]

    def _pairs(self, words: list[bytes], family: dict) -> list[tuple[int, int]]:
        """Neighbouring words, with a mark before the first and after the last."""
        marked = [bytes([family["start"]]), *words, bytes([family["end"]])]
        join = bytes([family["join"]])
        return [(self._id(join.join(pair), family), max(0, i - 1)) for i, pair in enumerate(zip(marked, marked[1:]))]

    def ids(self, text: str) -> list[int]:
        """The ids of a text; never empty, since the pair of the two marks is always there."""
        return [i for i, _ in self.with_owners(text)]
