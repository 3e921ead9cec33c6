"""A replica: it drives the processes that hold the model, a token of every answer at a time."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import ray
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from .sampling import Sampling
from .settings import Settings
from .shard import Feed, Shard


class ShardLost(Exception):
    """A process of this replica is gone, or hangs. Ray Serve is about to replace the replica."""


class Sequence:
    """An answer under way."""

    def __init__(self, prompt: list[int], sampling: Sampling) -> None:
        self.name = uuid4().hex
        self.sampling = sampling
        self.next = prompt
        """Token ids that go through the model next."""
        self.made = 0
        self.arrived: asyncio.Queue[int | ShardLost] = asyncio.Queue()

    @property
    def is_whole(self) -> bool:
        ended = self.made > 0 and self.next[0] in self.sampling.end_tokens
        return ended or self.made >= self.sampling.max_tokens

    def take(self, token: int) -> None:
        self.next = [token]
        self.made += 1
        self.arrived.put_nowait(token)


class Model:
    """A Ray Serve deployment. Its processes lie in its placement group and end with it."""

    async def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._running: dict[str, Sequence] = {}
        self._ended: list[str] = []
        self._work = asyncio.Event()
        self._lost: ShardLost | None = None
        group = ray.util.get_current_placement_group()
        self._shards = [
            ray.remote(Shard)
            .options(
                num_cpus=settings.bundle["CPU"],
                num_gpus=settings.bundle.get("GPU", 0),
                scheduling_strategy=PlacementGroupSchedulingStrategy(group, rank),
            )
            .remote(rank, settings)
            for rank in range(settings.world_size)
        ]
        host, port = await self._shards[0].open_store.remote()
        self._facts = await asyncio.gather(*[shard.load.remote(host, port) for shard in self._shards])
        self._rounds = asyncio.create_task(self._run())

    async def generate(self, prompt: list[int], sampling: Sampling) -> AsyncIterator[list[int]]:
        """The tokens as they come. Whoever stops reading ends the answer. Throws ShardLost."""
        if self._lost:
            raise self._lost
        sequence = Sequence(prompt, sampling)
        self._running[sequence.name] = sequence
        self._work.set()
        try:
            while not (sequence.is_whole and sequence.arrived.empty()):
                tokens = [await sequence.arrived.get()]
                while not sequence.arrived.empty():
                    tokens.append(sequence.arrived.get_nowait())
                made = [token for token in tokens if not isinstance(token, ShardLost)]
                if made:
                    yield made
                if len(made) < len(tokens) and self._lost:
                    raise self._lost
        finally:
            self._end(sequence.name)

    async def facts(self) -> dict[str, Any]:
        """How many answers are under way, and each process's rank, pid, node, and its parameters' bytes and shapes."""
        return {"answers": len(self._running), "processes": [vars(facts) for facts in self._facts]}

    async def check_health(self) -> None:
        """Ray Serve asks this, and replaces the replica and its processes when it fails."""
        if self._lost is None:
            try:
                await asyncio.gather(*[shard.ping.remote() for shard in self._shards])
            except ray.exceptions.RayError as error:
                self._lose(error)
        if self._lost:
            raise self._lost

    async def _run(self) -> None:
        while self._lost is None:
            await self._work.wait()
            ended, self._ended = self._ended, []
            under_way = list(self._running.values())
            if not under_way and not ended:
                self._work.clear()
                continue
            feeds = [Feed(one.name, one.next, one.sampling) for one in under_way]
            try:
                steps = [shard.step.remote(feeds, ended) for shard in self._shards]
                chosen = await asyncio.wait_for(asyncio.gather(*steps), self._settings.step_s)
            except (ray.exceptions.RayError, TimeoutError) as error:
                self._lose(error)
                return
            for sequence, token in zip(under_way, chosen[0], strict=True):
                sequence.take(token)
                if sequence.is_whole:
                    self._end(sequence.name)

    def _end(self, name: str) -> None:
        if self._running.pop(name, None) is not None:
            self._ended.append(name)
            self._work.set()

    def _lose(self, error: Exception) -> None:
        """Every answer under way learns of it at once; no other begins here."""
        self._lost = ShardLost(f"a process of the model is gone: {type(error).__name__}")
        for sequence in self._running.values():
            sequence.arrived.put_nowait(self._lost)
