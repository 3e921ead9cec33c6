import unittest

from .text import Text, Transcript


class Letters(Text):
    """Tokens are the bytes of the text."""

    def __init__(self) -> None:
        pass

    def read(self, tokens: list[int]) -> str:
        return bytes(tokens).decode(errors="replace")


def said(text: str, stops: list[str]) -> tuple[list[str], Transcript]:
    transcript = Transcript(Letters(), stops)
    pieces = []
    for byte in text.encode():
        pieces.append(transcript.take([byte]))
        if transcript.stopped:
            return pieces, transcript
    pieces.append(transcript.rest())
    return pieces, transcript


class TranscriptTest(unittest.TestCase):
    def test_what_is_said_is_the_text_and_every_character_is_said_once(self) -> None:
        for text in ["to be, or not to be", "naïve – ein Wörtchen 🙂!", ""]:
            self.assertEqual("".join(said(text, ["xyz"])[0]), text)

    def test_a_character_cut_by_tokens_waits_for_its_end(self) -> None:
        pieces, _ = said("a🙂b", [])
        self.assertEqual(pieces, ["a", "", "", "", "🙂", "b", ""])

    def test_half_a_character_at_the_end_is_told_as_what_it_is(self) -> None:
        transcript = Transcript(Letters(), [])
        self.assertEqual([transcript.take([0xF0]), transcript.rest()], ["", "\ufffd"])

    def test_nothing_of_a_stop_string_is_said_nor_what_follows_it(self) -> None:
        pieces, transcript = said("the king is dead", ["king", "dead"])
        self.assertEqual("".join(pieces), "the ")
        self.assertTrue(transcript.stopped)

    def test_the_beginning_of_a_stop_string_that_does_not_come_is_said_after_all(self) -> None:
        pieces, transcript = said("the kin", ["king"])
        self.assertEqual((pieces[4:], "".join(pieces)), (["", "", "", "kin"], "the kin"))
        self.assertFalse(transcript.stopped)
