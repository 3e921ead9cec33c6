"""The application: `import_path: cluster.app:build`. The settings choose who shards: PyTorch, or vLLM on Ray."""

from typing import Any

from ray import serve

from .model import Model
from .route import Route
from .settings import Settings


def build(settings: Settings) -> serve.Application:
    """The same file serves on CPUs and on GPUs. Ray Serve makes the settings from `args`."""
    if settings.engine == "vllm":
        # Only the images with vLLM have what this needs.
        from ray.serve.llm import LLMConfig, build_openai_app

        return build_openai_app({"llm_configs": [LLMConfig(**vllm_config(settings))]})
    model = serve.deployment(Model).options(**model_options(settings)).bind(settings)
    # Calls wait for a replica, where their number has a bound, and never for the way in.
    route = {"num_replicas": 1, "max_ongoing_requests": 10_000, "ray_actor_options": {"num_cpus": 0}}
    return serve.deployment(Route).options(**route).bind(settings, model)


def model_options(settings: Settings) -> dict[str, Any]:
    """A replica lives in the first of its processes' places, and takes nothing of it: its processes do the work."""
    return {
        "ray_actor_options": {"num_cpus": 0},
        "placement_group_bundles": [settings.bundle] * settings.world_size,
        "placement_group_strategy": settings.placement,
        "autoscaling_config": settings.autoscaling,
        "max_ongoing_requests": settings.max_ongoing_requests,
        "max_queued_requests": settings.max_queued_requests,
        # Ray Serve replaces a replica after three failed looks.
        "health_check_period_s": 1,
        "health_check_timeout_s": settings.step_s,
        "graceful_shutdown_timeout_s": 20,
    }


def vllm_config(settings: Settings) -> dict[str, Any]:
    """What `ray.serve.llm.LLMConfig` is made of."""
    return {
        "model_loading_config": {"model_id": settings.model_name, "model_source": settings.model_source},
        "engine_kwargs": {
            **settings.engine_kwargs,
            "tensor_parallel_size": settings.tensor_parallel_size,
            "pipeline_parallel_size": settings.pipeline_parallel_size,
            "distributed_executor_backend": "ray",
        },
        "placement_group_config": {
            "bundles": [settings.bundle] * settings.world_size,
            "strategy": settings.placement,
        },
        "deployment_config": {
            "autoscaling_config": settings.autoscaling,
            "max_ongoing_requests": settings.max_ongoing_requests,
            "max_queued_requests": settings.max_queued_requests,
        },
    }
