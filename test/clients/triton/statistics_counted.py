"""What was counted, and that it is right."""

import time

import numpy as np
from harness import caller, check, client, infer, pair_inputs, refusal


def counts(version: str = "") -> dict[str, int]:
    stats = client.get_inference_statistics("pair", version, headers=caller())["model_stats"][0]
    times = {name: value["count"] for name, value in stats["inference_stats"].items()}
    return {**times, "inference_count": stats["inference_count"], "execution_count": stats["execution_count"]}


def settled() -> dict[str, int]:
    """Counts are handed over in batches: wait until they stand still."""
    before = counts()
    still = 0
    deadline = time.monotonic() + 60
    while still < 3 and time.monotonic() < deadline:
        time.sleep(1)
        now = counts()
        still = still + 1 if now == before else 0
        before = now
    return before


@check
def get_inference_statistics():
    before = settled()
    fresh = np.array([[7, 7, 7, 7.25], [8, 8, 8, 8.5]], dtype=np.float32)
    for _ in range(3):
        infer(pair_inputs(a=fresh))
    after = settled()
    return {name: after[name] - before[name] for name in sorted(after) if not name.startswith("compute_")}


@check
def get_inference_statistics_of_all_models_and_of_a_version():
    every = client.get_inference_statistics(headers=caller())["model_stats"]
    one = client.get_inference_statistics("pair", "1", headers=caller())["model_stats"]
    return [{"pair", "echo"} <= {stats["name"] for stats in every}, [[stats["name"], stats["version"]] for stats in one]]


@check
def get_inference_statistics_of_an_unknown_model():
    return refusal(lambda: client.get_inference_statistics("nobody", headers=caller()))
