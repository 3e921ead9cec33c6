"""What the application is told when it is deployed, on a laptop and on Kubernetes alike."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator


class Settings(BaseModel):
    """The arguments of `app:build`. Throws pydantic's ValidationError, which names every fault."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    engine: Literal["torch", "vllm"] = "torch"
    """`torch` shards by PyTorch's and transformers' parallel APIs, on CPUs too; `vllm`, on Ray, needs GPUs."""
    model_name: str = Field(min_length=1)
    """What callers ask for."""
    model_source: str = Field(min_length=1)
    """A folder in Hugging Face's form that every node has; for vLLM a repository's name does too."""

    tensor_parallel_size: PositiveInt = 1
    """Into how many processes each layer is split."""
    pipeline_parallel_size: PositiveInt = 1
    """Over how many processes the layers are stacked. With `torch`, one of the two sizes is 1."""
    accelerator: Literal["cpu", "gpu"] = "cpu"
    gpus_per_process: float = Field(default=1, gt=0, le=1)
    """Below 1, processes share a GPU, by Ray's count: to try the split on a machine that has but one. They take turns on it, so
    each word between them costs milliseconds."""
    placement: Literal["PACK", "SPREAD", "STRICT_PACK", "STRICT_SPREAD"] = "PACK"
    """How a replica's processes lie on the nodes; `STRICT_SPREAD` puts each on a node of its own."""

    min_replicas: int = Field(default=0, ge=0)
    max_replicas: PositiveInt = 1
    target_ongoing_requests: PositiveFloat = 4
    """Calls under way that a replica is to have; more start another replica, up to `max_replicas`."""
    max_ongoing_requests: PositiveInt = 8
    """Calls that a replica works on at once."""
    max_queued_requests: PositiveInt = 64
    """Calls that may wait for a replica; more are refused with 503."""
    idle_s: PositiveFloat = 300
    """Seconds without a call after which replicas go, down to `min_replicas`."""
    wake_s: PositiveFloat = 120
    """Seconds that a call may wait for its first token, of a model that wakes from zero too."""
    step_s: PositiveFloat = 30
    """Seconds that all processes may take for a token; one that takes longer counts as dead."""
    engine_kwargs: dict[str, Any] = Field(default_factory=dict)
    """What else vLLM is told, by its own names."""

    @property
    def world_size(self) -> int:
        """The processes of a replica."""
        return self.tensor_parallel_size * self.pipeline_parallel_size

    @property
    def bundle(self) -> dict[str, float]:
        """What one process takes of a node."""
        return {"CPU": 1, "GPU": self.gpus_per_process} if self.accelerator == "gpu" else {"CPU": 1}

    @property
    def backend(self) -> Literal["nccl", "gloo"]:
        """What carries tensors from process to process, of those that PyTorch knows."""
        return "nccl" if self.accelerator == "gpu" else "gloo"

    @property
    def autoscaling(self) -> dict[str, float]:
        """Ray Serve's `autoscaling_config`. One replica starts at once, so that a model that cannot run is known."""
        return {
            "min_replicas": self.min_replicas,
            "initial_replicas": max(1, self.min_replicas),
            "max_replicas": self.max_replicas,
            "target_ongoing_requests": self.target_ongoing_requests,
            "upscale_delay_s": 3,
            "downscale_delay_s": self.idle_s,
            "metrics_interval_s": 1,
            "look_back_period_s": 5,
        }

    @model_validator(mode="after")
    def _fits(self) -> "Settings":
        if self.engine == "torch" and min(self.tensor_parallel_size, self.pipeline_parallel_size) > 1:
            raise ValueError("engine 'torch' splits layers or stacks them, not both: set one of the sizes to 1")
        if self.engine == "torch" and self.engine_kwargs:
            raise ValueError("engine_kwargs are vLLM's: leave them out with engine 'torch'")
        if self.engine == "vllm" and self.accelerator != "gpu":
            raise ValueError("engine 'vllm' needs accelerator 'gpu'")
        if self.gpus_per_process < 1 and self.accelerator != "gpu":
            raise ValueError("gpus_per_process is for accelerator 'gpu'")
        if self.gpus_per_process < 1 and self.engine == "vllm":
            raise ValueError("engine 'vllm' wants a whole GPU for each process: leave gpus_per_process out")
        if self.max_replicas < self.min_replicas:
            raise ValueError("max_replicas is below min_replicas")
        return self
