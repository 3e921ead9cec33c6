"""One answer, from its first token to its last."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from uuid import uuid4

from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle

from .exchange import ChatAsk, CompletionAsk, Form, Refusal, usage_of
from .model import ShardLost
from .text import Text, Transcript

RETRY_AFTER_S = 2


@dataclass
class Door:
    """What all answers share: the replicas, the tokenizer, and how many calls are where."""

    stream: DeploymentHandle
    """Of the replicas' `generate`."""
    text: Text
    wake_s: float
    is_down: Callable[[], Awaitable[bool]]
    """Whether Ray Serve is replacing the model's processes, as opposed to waking it."""
    waiting: int = 0
    """Calls without a first token."""
    running: int = 0


class Answer:
    """One answer. Ends the generation when its reader leaves."""

    def __init__(self, door: Door, ask: ChatAsk | CompletionAsk, prompt: list[int]) -> None:
        self._door = door
        self._ask = ask
        self._prompt_tokens = len(prompt)
        self._sampling = ask.sampling(door.text, len(prompt))
        self._transcript = Transcript(door.text, ask.stops)
        self._form = Form(ask, f"{'chatcmpl' if isinstance(ask, ChatAsk) else 'cmpl'}-{uuid4().hex}", int(time.time()))
        self._tokens = door.stream.remote(prompt, self._sampling)
        self._first: list[int] = []

    async def begin(self) -> None:
        """Waits for the first token. Throws Refusal."""
        self._door.waiting += 1
        try:
            self._first = await self._next_within()
        except asyncio.CancelledError:
            self._tokens.cancel()
            raise
        finally:
            self._door.waiting -= 1

    async def whole(self) -> dict:
        said = [text async for text, _ in self._pieces()]
        tokens = self._transcript.tokens
        return self._form.whole("".join(said), tokens, self._reason(), self._usage())

    async def events(self) -> AsyncIterator[str]:
        first = True
        try:
            async for said, tokens in self._pieces():
                yield event(self._form.chunk(said, tokens, None, first))
                first = False
        except Refusal as refusal:
            # Told in-band, and never with [DONE]: `code` is the status that it can't have any more.
            body = refusal.body()
            body["error"]["code"] = refusal.status
            yield event(body)
            return
        yield event(self._form.chunk("", [], self._reason(), first))
        if self._ask.wants_usage:
            yield event(self._form.usage(self._usage()))
        yield "data: [DONE]\n\n"

    async def _pieces(self) -> AsyncIterator[tuple[str, list[int]]]:
        """Texts, and the tokens that came with each."""
        self._door.running += 1
        tokens = self._first
        try:
            while tokens:
                said = self._transcript.take(tokens)
                if said or self._ask.return_token_ids:
                    yield said, tokens
                if self._transcript.stopped:
                    return
                tokens = await self._next()
            if rest := self._transcript.rest():
                yield rest, []
        finally:
            self._door.running -= 1
            self._tokens.cancel()

    async def _next_within(self) -> list[int]:
        coming = asyncio.ensure_future(self._next())
        ends_at = time.monotonic() + self._door.wake_s
        while not (await asyncio.wait({coming}, timeout=1))[0]:
            if time.monotonic() > ends_at or await self._door.is_down():
                coming.cancel()
                self._tokens.cancel()
                raise Refusal(503, "model_not_ready", "The model is not ready.", RETRY_AFTER_S)
        return coming.result()

    async def _next(self) -> list[int]:
        """The tokens that have come; none at the end. Throws Refusal."""
        try:
            return await anext(self._tokens, [])
        except ShardLost as error:
            raise Refusal(503, "model_not_ready", "The model is being restarted.", RETRY_AFTER_S) from error
        except (RayError, RayServeException) as error:
            raise Refusal(503, "overloaded", "The model cannot take the call now.", RETRY_AFTER_S) from error

    def _reason(self) -> str:
        tokens = self._transcript.tokens
        ended = self._transcript.stopped or (tokens and tokens[-1] in self._sampling.end_tokens)
        return "stop" if ended else "length"

    def _usage(self) -> dict[str, int]:
        return usage_of(self._prompt_tokens, len(self._transcript.tokens))


def event(body: dict) -> str:
    return f"data: {json.dumps(body, separators=(',', ':'), ensure_ascii=False)}\n\n"
