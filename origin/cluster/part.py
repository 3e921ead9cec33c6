"""One process's part of the model, and of the keys and values of every answer under way. transformers splits the
layers (`tensor_parallel_size`) or stacks them (`pipeline_parallel_size`) over PyTorch's process group; nothing of that
is done here."""

import os
import socket
from dataclasses import dataclass

import ray
import torch
import torch.distributed as dist
from transformers import AutoModelForCausalLM, DynamicCache, LogitsProcessorList
from transformers.distributed import DistributedConfig
from transformers.generation.logits_process import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from .sampling import Sampling
from .settings import Settings
from .shard import Feed, ShardFacts


@dataclass
class Answer:
    """An answer under way, as this process knows it."""

    cache: DynamicCache
    generator: torch.Generator
    seen: int = 0
    """Tokens that have gone through the model."""


class Part:
    """What goes between the parts goes through PyTorch, so all must get the same calls in the same order."""

    def __init__(self, rank: int, settings: Settings) -> None:
        self.rank = rank
        self.settings = settings
        self.device = torch.device("cuda" if settings.accelerator == "gpu" else "cpu")
        self.answers: dict[str, Answer] = {}

    def open_store(self) -> tuple[str, int]:
        """On the first process: where the others find it. The port listens on the node's own address alone."""
        host = ray.util.get_node_ip_address()
        listener = socket.create_server((host, 0))
        port = listener.getsockname()[1]
        size = self.settings.world_size
        # The store owns the socket from here on.
        self.store = dist.TCPStore(
            host, port, size, is_master=True, wait_for_workers=False, master_listen_fd=listener.detach()
        )
        return host, port

    def load(self, host: str, port: int) -> ShardFacts:
        """Joins the others and reads this process's part of the weights. Ends when all have theirs."""
        size = self.settings.world_size
        store = self.store if self.rank == 0 else dist.TCPStore(host, port, size, is_master=False)
        # Ray shows each process its own accelerators only, so the first one is always its own.
        os.environ.update(RANK=str(self.rank), LOCAL_RANK="0", WORLD_SIZE=str(size))
        if self.settings.gpus_per_process < 1:
            # NCCL refuses two processes on a GPU unless it is told, from 2.30 on. gloo takes their tensors and dies of them.
            os.environ["NCCL_MULTI_RANK_GPU_ENABLE"] = "1"
        dist.init_process_group(self.settings.backend, store=store, rank=self.rank, world_size=size)
        tensor, pipeline = self.settings.tensor_parallel_size, self.settings.pipeline_parallel_size
        self.model = AutoModelForCausalLM.from_pretrained(
            self.settings.model_source,
            dtype=torch.float32 if self.device.type == "cpu" else "auto",
            # Parts go to their devices by themselves; a model that is whole stays on the CPU unless it is told.
            device_map=self.device if size == 1 else None,
            distributed_config=DistributedConfig(
                tp_size=tensor, pp_size=pipeline, tp_plan="auto" if tensor > 1 else None
            ),
        ).eval()
        parts = {name: local(parameter) for name, parameter in self.model.named_parameters()}
        return ShardFacts(
            rank=self.rank,
            pid=os.getpid(),
            node=ray.get_runtime_context().get_node_id(),
            parameter_bytes=sum(part.numel() * part.element_size() for part in parts.values()),
            shapes={name: list(part.shape) for name, part in parts.items()},
        )

    @torch.inference_mode()
    def step(self, feeds: list[Feed], ended: list[str]) -> list[int]:
        """Puts each feed through the model and gives the token that follows each; only the first process chooses, the
        others give nothing. Answers that have ended are forgotten first."""
        for name in ended:
            self.answers.pop(name, None)
        logits = [self._forward(feed) for feed in feeds]
        if self.rank != 0:
            return []
        return [self._choose(feed, row) for feed, row in zip(feeds, logits, strict=True)]

    def _forward(self, feed: Feed) -> torch.Tensor:
        if feed.answer not in self.answers:
            self.answers[feed.answer] = Answer(
                DynamicCache(config=self.model.config), generator(feed.sampling, self.device)
            )
        answer = self.answers[feed.answer]
        tokens = torch.tensor([feed.tokens], device=self.device)
        # A stage of a pipeline that lacks the first layer can't tell from its cache how many tokens it has seen.
        positions = torch.arange(answer.seen, answer.seen + len(feed.tokens), device=self.device)[None]
        answer.seen += len(feed.tokens)
        made = self.model(
            input_ids=tokens, position_ids=positions, cache=answer.cache, use_cache=True, logits_to_keep=1
        )
        return made.logits[:, -1]

    def _choose(self, feed: Feed, logits: torch.Tensor) -> int:
        sampling = feed.sampling
        if sampling.temperature == 0:
            return int(logits.argmax())
        likely = warpers(sampling)(torch.tensor([feed.tokens], device=self.device), logits.float()).softmax(-1)
        return int(torch.multinomial(likely, 1, generator=self.answers[feed.answer].generator))


def local(parameter: torch.nn.Parameter) -> torch.Tensor:
    """The part of a parameter that this process holds."""
    return parameter.to_local() if isinstance(parameter, dist.tensor.DTensor) else parameter


def generator(sampling: Sampling, device: torch.device) -> torch.Generator:
    made = torch.Generator(device)
    if sampling.seed is None:
        made.seed()
    else:
        made.manual_seed(sampling.seed)
    return made


def warpers(sampling: Sampling) -> LogitsProcessorList:
    """In the order of `transformers`' own generation."""
    made = [TemperatureLogitsWarper(sampling.temperature)]
    if sampling.top_k > 0:
        made.append(TopKLogitsWarper(sampling.top_k))
    if sampling.top_p < 1:
        made.append(TopPLogitsWarper(sampling.top_p))
    return LogitsProcessorList(made)
