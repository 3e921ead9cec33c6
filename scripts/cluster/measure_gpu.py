"""What splitting a model costs on GPUs: `npm run measure:cluster -- --gpu` runs it.

    PYTHONPATH=origin python scripts/cluster/measure_gpu.py [--accelerator cpu] [--gpus-per-process 0.5] [--json FILE]

The application of origin/cluster serves each model in one process, split over two and stacked over two, one after the other; each
is asked by one caller and by four, and its answers at temperature 0 are compared with those of `transformers` alone on the same
device. Models: tiny-chat in float32 and as it is shipped, and one of some hundred million random weights, made here. At the end
a process of the split model is killed.
"""

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
import ray
from cluster.app import build
from cluster.deploy import APP
from cluster.settings import Settings
from ray import serve

ROOT = Path(__file__).parents[2]
TINY = ROOT / "models" / "tiny-chat" / "1"
PORT = 8791
URL = f"http://127.0.0.1:{PORT}"
TOKENS = 100
ROUNDS = 5
CALLERS = 4
PROMPTS = ["Tell me of the king.", "Where is my sword?", "O Romeo", "What news, good captain?", "Speak, ghost!", "Naïve?"]
FORMS = {
    "one process": {},
    "layers split over two (tensor)": {"tensor_parallel_size": 2},
    "layers stacked over two (pipeline)": {"pipeline_parallel_size": 2},
}


def make_models(folder: str, big: bool) -> None:
    """Writes tiny-chat in float32, and a model of random weights in bfloat16 with the same tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig

    tokenizer = AutoTokenizer.from_pretrained(TINY)
    AutoModelForCausalLM.from_pretrained(TINY, dtype=torch.float32).save_pretrained(f"{folder}/tiny-float32")
    tokenizer.save_pretrained(f"{folder}/tiny-float32")
    if not big:
        return
    tiny = LlamaConfig.from_pretrained(TINY).to_dict()
    shape = {"hidden_size": 2048, "intermediate_size": 5632, "num_hidden_layers": 16, "num_attention_heads": 16}
    more = {"num_key_value_heads": 8, "head_dim": 128, "max_position_embeddings": 2048}
    # Wider than usual: small logits of random weights lie so close together that rounding would choose the token.
    config = LlamaConfig(**{**tiny, **shape, **more, "initializer_range": 0.05, "dtype": "bfloat16"})
    torch.manual_seed(1)
    AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).save_pretrained(f"{folder}/random")
    tokenizer.save_pretrained(f"{folder}/random")


def refer(source: str, device: str) -> None:
    """Prints what `transformers` answers by itself, and the bytes of the parameters: {"answers", "bytes"}."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    dtype = torch.float32 if device == "cpu" else "auto"
    model = AutoModelForCausalLM.from_pretrained(source, dtype=dtype).to(device).eval()
    tokenizer = AutoTokenizer.from_pretrained(source)
    answers = []
    for prompt in PROMPTS:
        given = tokenizer(prompt, return_tensors="pt").to(device)
        made = model.generate(
            input_ids=given["input_ids"], do_sample=False, min_new_tokens=TOKENS, max_new_tokens=TOKENS, eos_token_id=[]
        )
        answers.append(made[0, given["input_ids"].shape[1] :].tolist())
    size = sum(one.numel() * one.element_size() for one in model.parameters())
    print(json.dumps({"answers": answers, "bytes": size}))


def child(*args: str) -> str:
    """This script in a process of its own, which leaves nothing on a GPU."""
    return subprocess.run([sys.executable, __file__, *args], check=True, stdout=subprocess.PIPE, text=True).stdout


async def ask(http: aiohttp.ClientSession, prompt: str = "The") -> tuple[float, float, list[int]]:
    """Milliseconds to the first token, tokens per second behind it, and the ids: of one stream of exactly so many tokens."""
    body = {"model": "m", "prompt": prompt, "temperature": 0, "max_tokens": TOKENS, "stream": True, "ignore_eos": True}
    started, first, ids = time.perf_counter(), 0.0, []
    async with http.post(f"{URL}/v1/completions", json={**body, "return_token_ids": True}) as answer:
        if answer.status != 200:
            raise RuntimeError(await answer.text())
        async for line in answer.content:
            first = first or time.perf_counter()
            if line.startswith(b"data: {"):
                event = json.loads(line[6:])
                if "error" in event:
                    raise RuntimeError(line.decode())
                ids += [token for choice in event["choices"] for token in choice.get("token_ids", [])]
    return 1000 * (first - started), (len(ids) - 1) / (time.perf_counter() - first), ids


async def row(model: str, form: str, settings: Settings, reference: dict[str, Any]) -> dict[str, Any]:
    serve.run(build(settings), name=APP, route_prefix="/")
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{URL}/shards") as answer:
            processes = (await answer.json())["processes"]
        await ask(http)
        alone = [await ask(http) for _ in range(ROUNDS)]
        together = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            await asyncio.gather(*[ask(http) for _ in range(CALLERS)])
            together.append(CALLERS * TOKENS / (time.perf_counter() - started))
        given = [(await ask(http, prompt))[2] for prompt in PROMPTS]
    return {
        "model": model,
        "form": form,
        "backend": settings.backend if settings.world_size > 1 else None,
        "bytes": [one["parameter_bytes"] for one in processes],
        "bytes_whole": reference["bytes"],
        "first_ms": statistics.median(first for first, _, _ in alone),
        "tokens_s_one": statistics.median(speed for _, speed, _ in alone),
        "tokens_s_four": statistics.median(together),
        "equal": [alike(mine, theirs) for mine, theirs in zip(given, reference["answers"], strict=True)],
    }


def alike(mine: list[int], theirs: list[int]) -> int:
    """How many tokens are equal before the first that is not."""
    return next((at for at, pair in enumerate(zip(mine, theirs)) if pair[0] != pair[1]), min(len(mine), len(theirs)))


async def death() -> dict[str, Any]:
    """Kills a process of what is served, and waits until it answers again."""
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{URL}/shards") as answer:
            before = [one["pid"] for one in (await answer.json())["processes"]]
        os.kill(before[-1], signal.SIGKILL)
        started, refusals, ends_at = time.perf_counter(), 0, time.monotonic() + 180
        # A few calls may still reach the replica that is about to learn of it: who is refused asks again.
        while time.monotonic() < ends_at:
            try:
                await ask(http)
            except (RuntimeError, aiohttp.ClientError):
                refusals += 1
                await asyncio.sleep(0.2)
                continue
            if refusals > 0:
                break
        took = time.perf_counter() - started
        async with http.get(f"{URL}/shards") as answer:
            after = [one["pid"] for one in (await answer.json())["processes"]]
    return {"seconds": took, "refusals": refusals, "replaced": before[-1] not in after}


def told(made: dict[str, Any]) -> str:
    size = " + ".join(f"{each:,}" for each in made["bytes"])
    speeds = f"{made['tokens_s_one']:.0f} | {made['tokens_s_four']:.0f}"
    return f"| {made['model']}, {made['form']} | {size} | {sum(made['equal'])} of {TOKENS * len(PROMPTS)} | {made['first_ms']:.0f} | {speeds} |"


async def main(accelerator: str, share: float, out: str | None) -> None:
    device = "cuda" if accelerator == "gpu" else "cpu"
    made: dict[str, Any] = {"rows": []}
    quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": "error"}
    ray.init(object_store_memory=200_000_000, **quiet)
    serve.start(http_options={"host": "127.0.0.1", "port": PORT})
    with tempfile.TemporaryDirectory() as folder:
        child("--make", folder, "--accelerator", accelerator)
        models = {"tiny-chat, float32": f"{folder}/tiny-float32", "tiny-chat, float16": str(TINY), "random": f"{folder}/random"}
        print("| | bytes of parameters, by process | tokens as unsplit | first token ms | tokens/s, one caller | tokens/s, four |")
        print("| --- | --- | ---: | ---: | ---: | ---: |", flush=True)
        for model, source in models.items():
            if device == "cpu" and model != "tiny-chat, float32":
                continue
            reference = json.loads(child("--refer", source, "--accelerator", accelerator))
            for form, sizes in FORMS.items():
                more = {"gpus_per_process": share} if accelerator == "gpu" and sizes else {}
                common = {"accelerator": accelerator, "max_ongoing_requests": 2 * CALLERS, "idle_s": 3600}
                settings = Settings(model_name="m", model_source=source, **common, **more, **sizes)
                made["rows"].append(await row(model, form, settings, reference))
                print(told(made["rows"][-1]), flush=True)
                if out:
                    Path(out).write_text(json.dumps(made))
                if model == "tiny-chat, float32" and form.startswith("layers split"):
                    made["death"] = await death()
                    print(json.dumps(made["death"]), file=sys.stderr, flush=True)
    serve.shutdown()
    ray.shutdown()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--accelerator", choices=["cpu", "gpu"], default="gpu")
    parser.add_argument("--gpus-per-process", type=float, default=1)
    parser.add_argument("--json")
    parser.add_argument("--make")
    parser.add_argument("--refer")
    given = parser.parse_args()
    if given.make:
        make_models(given.make, given.accelerator == "gpu")
    elif given.refer:
        refer(given.refer, "cuda" if given.accelerator == "gpu" else "cpu")
    else:
        asyncio.run(main(given.accelerator, given.gpus_per_process, given.json))
