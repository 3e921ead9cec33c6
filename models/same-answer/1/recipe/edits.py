"""Edits of one prompt: those that leave what it asks for as it was, and those that change it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from random import Random

from families import lines_of

HERE = Path(__file__).resolve().parent
REWRITES = [line.split("|") for line in lines_of(HERE / "rewrites.txt")]
OPPOSITES = [tuple(line.split("|")) for line in lines_of(HERE / "opposites.txt")]
ASKS = [line.split("|") for line in lines_of(HERE / "asks.txt")]
BEGINNINGS = sorted(((words, at) for at, group in enumerate(ASKS) for words in group), key=lambda found: -len(found[0]))
OPENINGS = (
    "please ", "please, ", "hi, ", "hello, ", "hi there, ", "can you tell me ", "could you tell me ", "i'd like to know ", "i want to know ", "do you know ", "excuse me, ",
    "i was wondering ", "ok, ", "well, ", "i have a question: ", "my question is: ", "tell me ", "sorry, but ", "good morning, ", "hey assistant, ", "just curious, ",
)
CLOSINGS = (" please", ", please", " thanks", ", thank you", " for me", "? thanks", "? i appreciate it", ", if you can", "? please help")
NUMBERS = "one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty hundred".split()
MODIFIERS = (
    "vegan", "cheap", "free", "online", "new", "old", "small", "large", "used", "electric", "local", "foreign", "public", "private", "weekly", "digital", "organic", "wireless",
    "second", "last", "german", "chinese", "american", "red", "wooden", "plastic", "emergency", "temporary", "permanent", "annual", "daily", "medical", "legal", "spare",
)
SHORT = {
    "what is": "what's", "it is": "it's", "i am": "i'm", "do not": "don't", "does not": "doesn't", "is not": "isn't", "cannot": "can't", "will not": "won't", "who is": "who's",
    "where is": "where's", "i would": "i'd", "how is": "how's", "are not": "aren't", "that is": "that's", "i have": "i've", "did not": "didn't",
}

Edit = Callable[[str, Random], str | None]


def phrase(words: str) -> re.Pattern[str]:
    """The words as whole words."""
    return re.compile(rf"(?<![\w'{{`\"-]){re.escape(words)}(?![\w'}}`\"-])")


PHRASES = [(words, phrase(words), others) for words, *others in REWRITES]
TURNS = [(phrase(a), b) for pair in OPPOSITES for a, b in (pair, pair[::-1])]


def rewritten(text: str, draw: Random) -> str | None:
    """One phrase replaced by another that says the same."""
    fitting = [(found, others) for words, found, others in PHRASES if words in text and found.search(text)]
    if not fitting:
        return None
    found, others = draw.choice(fitting)
    return found.sub(draw.choice(others), text, count=1)


def beginning(text: str) -> tuple[str, int] | None:
    """How a question begins, and the number of those that ask for the same."""
    return next(((words, at) for words, at in BEGINNINGS if text.startswith(words + " ")), None)


def begun(text: str, draw: Random) -> str | None:
    """The same question with another beginning."""
    found = beginning(text)
    return draw.choice([words for words in ASKS[found[1]] if words != found[0]]) + text[len(found[0]) :] if found else None


def asked(text: str, draw: Random) -> str | None:
    """Another question about the same: its beginning is of another group."""
    found = beginning(text)
    return draw.choice(draw.choice([group for at, group in enumerate(ASKS) if at != found[1]])) + text[len(found[0]) :] if found else None


def misspelled(text: str, draw: Random) -> str | None:
    """Two letters of one long word changed over, or one left out. Not in names, numbers or code."""
    words = text.split()
    long = [at for at, word in enumerate(words) if len(word) > 5 and word.isalpha() and word.islower()]
    if not long:
        return None
    at, spot = draw.choice(long), 0
    word = words[at]
    spot = draw.randrange(1, len(word) - 2)
    words[at] = word[:spot] + word[spot + 1] + word[spot] + word[spot + 2 :] if draw.random() < 0.5 else word[:spot] + word[spot + 1 :]
    return " ".join(words)


def dressed(text: str, draw: Random) -> str:
    """As people type it: short forms, manners, punctuation. Asks for the same."""
    for long, short in SHORT.items():
        if long in text and draw.random() < 0.5:
            text = phrase(long).sub(short, text)
    if draw.random() < 0.14:
        text = draw.choice(OPENINGS) + text
    if draw.random() < 0.1:
        text += draw.choice(CLOSINGS)
    if draw.random() < 0.06:
        text = misspelled(text, draw) or text
    if draw.random() < 0.06:
        text = re.sub(r"\b(the|a|an|my) ", "", text, count=1)
    return text + draw.choice(("?", "?", ".", "", "", "", "", " ?", "!"))


def turned(text: str, draw: Random) -> str | None:
    """One word replaced by its opposite."""
    fitting = [(found, other) for found, other in TURNS if found.search(text)]
    if not fitting:
        return None
    found, other = draw.choice(fitting)
    return found.sub(other, text, count=1)


def renumbered(text: str, draw: Random) -> str | None:
    """One number changed, a little or a lot."""
    found = list(re.finditer(r"\d+(?:\.\d+)?|\b(?:" + "|".join(NUMBERS) + r")\b", text))
    if not found:
        return None
    spot = draw.choice(found)
    return text[: spot.start()] + other_number(spot[0], draw) + text[spot.end() :]


def other_number(number: str, draw: Random) -> str:
    """Another number in the same form."""
    if number in NUMBERS:
        return draw.choice([word for word in NUMBERS if word != number])
    ways = [number + "0", number[::-1], str(draw.randrange(2, 1000)), number[:-1] + str(draw.randrange(10)), str(float(number) + 1).removesuffix(".0")]
    return next((way for way in draw.sample(ways, len(ways)) if way != number and way), number + "1")


def narrowed(text: str, draw: Random) -> str | None:
    """A word put in that asks for something more special."""
    spots = [found.end() for found in re.finditer(r"\b(the|a|an|my|for|of|about) ", text)]
    if not spots:
        return None
    at = draw.choice(spots)
    return f"{text[:at]}{draw.choice(MODIFIERS)} {text[at:]}"


DIFFERENT: dict[str, Edit] = {"polarity": turned, "number": renumbered, "near-miss": narrowed, "ask": asked}
