"""Between text and tokens, and where an answer ends."""

import json
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer


class Text:
    """The tokenizer of a model, its chat template, and what its folder says of generation."""

    def __init__(self, folder: str) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        preset = read(Path(folder) / "generation_config.json")
        ends = preset.get("eos_token_id", self._tokenizer.eos_token_id)
        self.end_tokens = frozenset(ends if isinstance(ends, list) else [ends])
        self.presets = {name: preset[name] for name in ("temperature", "top_p", "top_k") if name in preset}
        self.context_tokens = int(read(Path(folder) / "config.json")["max_position_embeddings"])

    def of_messages(self, messages: list[dict[str, str]]) -> list[int]:
        """A chat as the model was taught to read it. Throws jinja2.TemplateError where its template refuses."""
        prompt = self._tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        return self._tokenizer.encode(prompt, add_special_tokens=False)

    def of_prompt(self, prompt: str) -> list[int]:
        return self._tokenizer.encode(prompt)

    def read(self, tokens: list[int]) -> str:
        return self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)


class Transcript:
    """The text of one answer as its tokens come. What may still become a stop string or a character is held back."""

    def __init__(self, text: Text, stops: list[str]) -> None:
        self._text = text
        self._stops = stops
        self.tokens: list[int] = []
        self._said = 0
        """Characters that are out."""
        self.stopped = False
        """Whether a stop string has come. It is no part of the answer."""

    def take(self, tokens: list[int]) -> str:
        """What can be said now."""
        self.tokens += tokens
        known = self._text.read(self.tokens)
        found = [at for stop in self._stops if (at := known.find(stop, max(0, self._said))) >= 0]
        if found:
            self.stopped = True
            return self._say(known[: min(found)])
        whole = known.rstrip("\ufffd") if known.endswith("\ufffd") else known
        return self._say(whole[: len(whole) - held(whole, self._stops)])

    def rest(self) -> str:
        """What was held back, once no token comes any more."""
        return "" if self.stopped else self._say(self._text.read(self.tokens))

    def _say(self, known: str) -> str:
        said, self._said = known[self._said :], max(self._said, len(known))
        return said


def held(known: str, stops: list[str]) -> int:
    """How many characters at the end may be the beginning of a stop string."""
    for count in range(max((len(stop) for stop in stops), default=1) - 1, 0, -1):
        if any(stop.startswith(known[-count:]) for stop in stops if len(stop) > count):
            return count
    return 0


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.exists() else {}
