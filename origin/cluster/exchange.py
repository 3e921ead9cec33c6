"""Requests and answers of OpenAI's API, as far as a model here can honour them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .sampling import Sampling
from .text import Text


class Refusal(Exception):
    """An answer that is an error: OpenAI's error object, with a status."""

    def __init__(self, status: int, code: str, message: str, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after_s = retry_after_s

    def body(self) -> dict[str, Any]:
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        return {"error": {"message": self.message, "type": kind, "code": self.code, "param": None}}


class Message(BaseModel):
    role: Literal["system", "developer", "user", "assistant"]
    content: str


class StreamOptions(BaseModel):
    include_usage: bool = False


UNSUPPORTED = {
    "best_of": (None, 1),
    "echo": (None, False),
    "frequency_penalty": (None, 0),
    "functions": (None,),
    "logit_bias": (None, {}),
    "logprobs": (None, False),
    "n": (None, 1),
    "presence_penalty": (None, 0),
    "response_format": (None, {"type": "text"}),
    "suffix": (None, ""),
    "tools": (None, []),
    "top_logprobs": (None,),
}
"""What would change the answer and is not built, with the values that change nothing."""


class Ask(BaseModel):
    """What chats and completions have in common. Members that change nothing here are passed over."""

    model_config = ConfigDict(extra="allow")

    model: str
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=0)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    stop: str | list[str] | None = None
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    return_token_ids: bool | None = None
    """vLLM's: the answer carries the ids of its tokens too."""
    ignore_eos: bool | None = None
    """vLLM's: no token ends the answer."""

    @property
    def stops(self) -> list[str]:
        stops = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return [stop for stop in stops if stop]

    @property
    def wants_usage(self) -> bool:
        return self.stream_options is not None and self.stream_options.include_usage

    def must_be_supported(self) -> None:
        """Throws Refusal: nothing that would change the answer is ignored."""
        for name, value in (self.model_extra or {}).items():
            if name in UNSUPPORTED and value not in UNSUPPORTED[name]:
                raise Refusal(400, "unsupported_parameter", f"'{name}' is not supported by this server.")

    def sampling(self, text: Text, prompt_tokens: int) -> Sampling:
        """Throws Refusal when prompt and answer do not fit into the model's context."""
        room = text.context_tokens - prompt_tokens
        wanted = self.max_completion_tokens or self.max_tokens
        if room < 1 or (wanted or 1) > room:
            raise Refusal(
                400,
                "context_length_exceeded",
                f"The model reads {text.context_tokens} tokens: {prompt_tokens} of the prompt and {wanted or 1} of the "
                "answer are more.",
            )
        given = {"temperature": self.temperature, "top_p": self.top_p, "top_k": self.top_k}
        chosen = {**text.presets, **{name: value for name, value in given.items() if value is not None}}
        return Sampling(
            max_tokens=wanted or room,
            end_tokens=frozenset() if self.ignore_eos else text.end_tokens,
            temperature=chosen.get("temperature", 1.0),
            top_p=chosen.get("top_p", 1.0),
            top_k=chosen.get("top_k", 0),
            seed=self.seed,
        )


class ChatAsk(Ask):
    messages: list[Message] = Field(min_length=1)

    def prompt(self, text: Text) -> list[int]:
        return text.of_messages([message.model_dump() for message in self.messages])


class CompletionAsk(Ask):
    prompt_: str = Field(alias="prompt")

    def prompt(self, text: Text) -> list[int]:
        return text.of_prompt(self.prompt_)


class Form:
    """How an answer to a chat, or to a completion, is written."""

    def __init__(self, ask: Ask, name: str, created: int) -> None:
        self._chat = isinstance(ask, ChatAsk)
        self._head = {"id": name, "created": created, "model": ask.model}
        self._ids = bool(ask.return_token_ids)

    def chunk(self, said: str, tokens: list[int], reason: str | None, first: bool) -> dict[str, Any]:
        """A piece of a stream. `tokens` are the ids that came with it."""
        choice: dict[str, Any] = {"index": 0, "finish_reason": reason}
        if self._chat:
            choice["delta"] = {**({"role": "assistant"} if first else {}), **({"content": said} if said else {})}
        else:
            choice["text"] = said
        if self._ids:
            choice["token_ids"] = tokens
        return self._body([choice], "chat.completion.chunk")

    def whole(self, said: str, tokens: list[int], reason: str, usage: dict[str, int]) -> dict[str, Any]:
        choice: dict[str, Any] = {"index": 0, "finish_reason": reason, "logprobs": None}
        if self._chat:
            choice["message"] = {"role": "assistant", "content": said}
        else:
            choice["text"] = said
        if self._ids:
            choice["token_ids"] = tokens
        return {**self._body([choice], "chat.completion"), "usage": usage}

    def usage(self, usage: dict[str, int]) -> dict[str, Any]:
        return {**self._body([], "chat.completion.chunk"), "usage": usage}

    def _body(self, choices: list[dict[str, Any]], kind: str) -> dict[str, Any]:
        return {**self._head, "object": kind if self._chat else "text_completion", "choices": choices}


def usage_of(prompt_tokens: int, completion_tokens: int) -> dict[str, int]:
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }
