"""The tests of this folder: python -m unittest discover -s origin/cluster -t origin"""

import json
import unittest
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from ray.serve.schema import ServeDeploySchema

from .app import model_options, vllm_config
from .settings import Settings


def settings(**more: Any) -> Settings:
    return Settings(**{"model_name": "m", "model_source": "/models/m", **more})


class SettingsTest(unittest.TestCase):
    def test_a_replica_has_a_place_for_each_of_its_processes(self) -> None:
        options = model_options(settings(tensor_parallel_size=2, placement="STRICT_SPREAD"))
        self.assertEqual(options["placement_group_bundles"], [{"CPU": 1}, {"CPU": 1}])
        self.assertEqual(options["placement_group_strategy"], "STRICT_SPREAD")

    def test_each_process_has_a_gpu_of_its_own_and_speaks_over_nccl(self) -> None:
        given = settings(accelerator="gpu", tensor_parallel_size=2)
        self.assertEqual(model_options(given)["placement_group_bundles"], [{"CPU": 1, "GPU": 1}] * 2)
        self.assertEqual((given.backend, settings(tensor_parallel_size=2).backend), ("nccl", "gloo"))

    def test_processes_that_share_a_gpu_take_their_share_of_it(self) -> None:
        given = settings(accelerator="gpu", tensor_parallel_size=2, gpus_per_process=0.5)
        self.assertEqual(model_options(given)["placement_group_bundles"], [{"CPU": 1, "GPU": 0.5}] * 2)
        self.assertEqual(given.backend, "nccl")

    def test_replicas_follow_the_calls_under_way_down_to_none(self) -> None:
        scaling = model_options(settings(max_replicas=3, target_ongoing_requests=2, idle_s=7))["autoscaling_config"]
        self.assertEqual((scaling["min_replicas"], scaling["max_replicas"]), (0, 3))
        self.assertEqual((scaling["target_ongoing_requests"], scaling["downscale_delay_s"]), (2, 7))

    def test_with_gpus_the_same_settings_make_a_configuration_of_vllm(self) -> None:
        given = settings(
            engine="vllm",
            accelerator="gpu",
            tensor_parallel_size=8,
            pipeline_parallel_size=2,
            engine_kwargs={"max_model_len": 8192},
        )
        made = vllm_config(given)
        self.assertEqual(
            made["engine_kwargs"],
            {
                "max_model_len": 8192,
                "tensor_parallel_size": 8,
                "pipeline_parallel_size": 2,
                "distributed_executor_backend": "ray",
            },
        )
        self.assertEqual(made["placement_group_config"], {"bundles": [{"CPU": 1, "GPU": 1}] * 16, "strategy": "PACK"})
        self.assertEqual(made["model_loading_config"], {"model_id": "m", "model_source": "/models/m"})
        try:
            from ray.serve.llm import LLMConfig
        except ImportError:
            # Only the images with vLLM have what it needs.
            return
        self.assertEqual(LLMConfig(**made).engine_kwargs["tensor_parallel_size"], 8)

    def test_what_kubernetes_deploys_is_what_the_application_takes(self) -> None:
        rendered = Path(__file__).parents[1] / "deploy" / "rendered" / "ray.json"
        objects = json.loads(rendered.read_text())["objects"]
        [service] = [one for one in objects if one["kind"] == "RayService"]
        [application] = ServeDeploySchema(**yaml.safe_load(service["spec"]["serveConfigV2"])).applications
        made = vllm_config(Settings(**application.args))
        self.assertEqual(len(made["placement_group_config"]["bundles"]), 16)

    def test_what_does_not_fit_is_refused_with_a_sentence(self) -> None:
        for more, sentence in [
            ({"tensor_parallel_size": 2, "pipeline_parallel_size": 2}, "not both"),
            ({"engine": "vllm"}, "needs accelerator 'gpu'"),
            ({"engine_kwargs": {"max_model_len": 1}}, "are vLLM's"),
            ({"max_replicas": 1, "min_replicas": 2}, "below min_replicas"),
            ({"gpus_per_process": 0.5}, "is for accelerator 'gpu'"),
            ({"gpus_per_process": 0.5, "accelerator": "gpu", "engine": "vllm"}, "wants a whole GPU"),
            ({"gpus_per_process": 2, "accelerator": "gpu"}, "gpus_per_process"),
            ({"tensor_size": 2}, "tensor_size"),
        ]:
            with self.assertRaisesRegex(ValidationError, sentence):
                settings(**more)
