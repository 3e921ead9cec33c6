"""Feature ids that another implementation must reproduce (features.golden.json)."""

from __future__ import annotations

import hashlib
import random
import struct

from features import Hasher

FIXED = [
    "", " ", "\t\n \r", "!", "?!...", "'", "''", "don't", "5:30", "$1,000.50", "A", "ABC abc", "ÉCOLE école",
    "e\u0301cole", "日本語のテスト", "مرحبا بالعالم", "👋🏽 hi 👨‍👩‍👧", "ﬁne", "İstanbul", "straße", "a\u00a0b", "a\u200bb",
    "\ufeffbom", "null\u0000byte", "<tag> & \"quote\"", "a-b_c/d", "x" * 3000, "word " * 900, "水" * 700,
]
ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", "'.,;:!?-_/()[]{}<>\"&%$#@",
    "àéîõüßçñøåÆŒ", "日本語漢字水火木金", "😀🎉🚀👍🏽❤️", "\u0301\u0308\u0327\u0323", "абвгдЖЯ", "\t\n \u00a0\u2003",
]


def generated_texts(count: int, seed: int) -> list[str]:
    """The fixed cases, then random mixtures of alphabets."""
    draw, texts = random.Random(seed), list(FIXED)
    while len(texts) < count:
        words = []
        for _ in range(draw.randint(1, 12)):
            letters = draw.choice(ALPHABETS[:1] * 6 + ALPHABETS)
            words.append("".join(draw.choice(letters) for _ in range(draw.randint(1, 9))))
        texts.append(draw.choice(["", " "]).join([" ".join(words), ""]))
    return texts


def digest(ids: list[int]) -> str:
    """First 16 hex characters of SHA-256 over the ids as little-endian int32."""
    return hashlib.sha256(struct.pack(f"<{len(ids)}i", *ids)).hexdigest()[:16]


def golden(hasher: Hasher, test_texts: list[str]) -> dict:
    """Digests for 1,000 published utterances; for 1,000 texts of our own making, of which 200 with full ids."""
    first, own = test_texts[:1000], generated_texts(1000, seed=7)
    return {
        "clinc150": {"split": "test", "count": len(first), "sha256": [digest(hasher.ids(t)) for t in first]},
        "generated": [{"text": t, "ids": hasher.ids(t)} for t in own[:200]],
        "digested": [{"text": t, "sha256": digest(hasher.ids(t))} for t in own[200:]],
    }
