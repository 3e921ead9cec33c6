"""Write plain English sentences, one a line, from packages and data sets that anyone can get.

    apt-get download wordnet-base && dpkg-deb -x wordnet-base_*.deb unpacked
    python texts.py wordnet  unpacked/usr/share/wordnet          > wordnet.txt
    python texts.py composed unpacked/usr/share/wordnet          > composed.txt
    apt-get -o Acquire::Languages=en update
    lz4cat /var/lib/apt/lists/*_main_i18n_Translation-en.lz4 | python texts.py debian - > debian.txt
    python texts.py clinc  clinc150.json                         > clinc.txt
    python texts.py tweets offensive-language.csv                > tweets.txt
    python texts.py plays  tinyshakespeare.txt                   > plays.txt

Sources: WordNet 3.0 (Debian package `wordnet-base`; WordNet licence, free for any use), the package descriptions of Debian `main`,
CLINC150 (`clinc/oos-eval` on GitHub, CC BY 3.0; its training part only), `t-davidson/hate-speech-and-offensive-language` (MIT),
`karpathy/char-rnn`'s tinyshakespeare (public domain). None of the text becomes part of a package: a teacher turns each sentence into a
vector, and the student learns the vectors.
"""

from __future__ import annotations

import argparse
import csv
import html
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from distill.compose import composed

PARTS = ("noun", "verb", "adj", "adv")
WORDS_MIN, CHARACTERS_MAX = 2, 400


def read(path: str) -> str:
    """A whole file, or standard input for `-`."""
    return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8", errors="replace")


def sentences(text: str) -> list[str]:
    """Cut running text after `.`, `!` or `?` before a capital letter; white space becomes single spaces."""
    return re.split(r"(?<=[.!?])\s+(?=[A-Z\"'])", " ".join(text.split()))


def wordnet(folder: str) -> Iterator[str]:
    """Every gloss without its examples, every example, and a part of the glosses as `word: gloss`."""
    for part in PARTS:
        for number, line in enumerate(read(f"{folder}/data.{part}").splitlines()):
            if line.startswith("  "):
                continue
            fields, _, gloss = line.partition(" | ")
            yield from re.findall(r'"([^"]+)"', gloss)
            meaning = gloss.split('; "')[0].strip()
            word = fields.split(" ")[4].replace("_", " ")
            yield f"{word}: {meaning}" if number % 4 == 0 else meaning


def debian(path: str) -> Iterator[str]:
    """Short descriptions, and the sentences of long ones; lists are left out, and so is what is not prose."""
    for block in read(path).split("\n\n"):
        found = re.search(r"^Description-en: (.*)", block, re.MULTILINE | re.DOTALL)
        if not found:
            continue
        title, _, body = found.group(1).partition("\n")
        yield title
        for paragraph in re.split(r"\n \.\n", body):
            if not re.search(r"^  ", paragraph, re.MULTILINE):
                yield from (s for s in sentences(paragraph) if s.endswith("."))


def clinc(path: str) -> Iterator[str]:
    """The utterances of the splits `train` and `oos_train`."""
    data = json.loads(read(path))
    yield from (text for split in ("train", "oos_train") for text, _ in data[split])


def tweets(path: str) -> Iterator[str]:
    """The column `tweet` without addressees, links and marks of repetition."""
    for row in csv.DictReader(read(path).splitlines(keepends=True)):
        text = re.sub(r"https?://\S+|\bRT\b|@\w+:?|#(?=\w)|&#\d+;", " ", html.unescape(row["tweet"]))
        yield text.strip('!"\': ')


def plays(path: str) -> Iterator[str]:
    """The sentences that are spoken, without the names of the speakers."""
    for speech in read(path).split("\n\n"):
        yield from sentences(speech.partition("\n")[2])


SOURCES: dict[str, Callable[[str], Iterable[str]]] = {
    "wordnet": wordnet, "composed": composed, "debian": debian, "clinc": clinc, "tweets": tweets, "plays": plays,
}  # fmt: skip


def tidy(lines: Iterable[str]) -> Iterator[str]:
    """Each line once, with single spaces, without the very short and the very long."""
    seen = set()
    for line in lines:
        text = " ".join(line.split())
        if len(text.split()) >= WORDS_MIN and len(text) <= CHARACTERS_MAX and text.lower() not in seen:
            seen.add(text.lower())
            yield text


def main() -> None:
    """Print the sentences of one source."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", choices=sorted(SOURCES))
    parser.add_argument("path", help="a file, a folder for wordnet and composed, or - for standard input")
    chosen = parser.parse_args()
    sys.stdout.reconfigure(encoding="utf-8")
    for text in tidy(SOURCES[chosen.source](chosen.path)):
        print(text)


if __name__ == "__main__":
    main()
