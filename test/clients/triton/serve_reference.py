"""Writes the models of exercise.py for Triton, and serves from Triton: the binary that the wheel of nvidia-pytriton carries.

    python serve_reference.py HTTP_PORT MODELS [GRPC_PORT]      (needs requirements-reference.txt)

The server starts without models and without PyTriton's own proxies: exercise.py loads the models, each with its files, and
Triton's Python backend needs no more than those. With a port for gRPC it starts with `pair` and `echo`.
"""

import json
import os
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path

LIBRARIES = sysconfig.get_paths()["purelib"]
NUMBERS = "BOOL UINT8 UINT16 UINT32 UINT64 INT8 INT16 INT32 INT64 FP16 FP32 FP64".split()

CODE = f"""
import sys
sys.path.insert(0, {LIBRARIES!r})
import triton_python_backend_utils as pb

class TritonPythonModel:
    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        given = {{tensor.name(): tensor.as_numpy() for tensor in request.inputs()}}
        outputs = dict(self.outputs(given))
        return pb.InferenceResponse([pb.Tensor(name, outputs[name]) for name in request.requested_output_names()])

    def outputs(self, given):
        BODY
"""
PAIR = 'yield "sum", given["a"] + given["b"]\n        yield "difference", given["a"] - given["b"]'
ECHO = 'for name, value in given.items():\n            yield name.replace("in_", "out_"), value'


def write_model(root: Path, name: str, body: str, inputs: dict[str, tuple[str, list[int]]], outputs: list[str]) -> None:
    (root / name).mkdir(parents=True)
    (root / name / "model.py").write_text(CODE.replace("BODY", body))
    specs = [{"data_type": f"TYPE_{datatype}", "dims": dims} for datatype, dims in inputs.values()]
    config = {
        "name": name,
        "backend": "python",
        "max_batch_size": 8,
        "response_cache": {"enable": name == "pair"},
        "input": [{"name": named, **spec} for named, spec in zip(inputs, specs)],
        "output": [{"name": named, **spec} for named, spec in zip(outputs, specs)],
    }
    (root / name / "config.json").write_text(json.dumps(config))


def write_repository(models: Path, repository: Path) -> None:
    """The same models as Triton keeps them on disk: its index lists no others, and it loads no others again."""
    for folder in models.iterdir():
        (repository / folder.name / "1").mkdir(parents=True)
        shutil.copy(folder / "model.py", repository / folder.name / "1")
        config = json.loads((folder / "config.json").read_text())
        sides = [f"{side} {{ name: \"{one['name']}\" data_type: {one['data_type']} dims: {one['dims']} }}" for side in ("input", "output") for one in config[side]]
        cache = str(config["response_cache"]["enable"]).lower()
        text = "\n".join([f'backend: "python"\nmax_batch_size: 8\nresponse_cache {{ enable: {cache} }}', *sides])
        (repository / folder.name / "config.pbtxt").write_text(text)


def write_echo(root: Path, name: str, ends: dict[str, tuple[str, list[int]]]) -> None:
    write_model(root, name, ECHO, {f"in_{end}": spec for end, spec in ends.items()}, [f"out_{end}" for end in ends])


def write_models(root: Path) -> None:
    write_model(root, "pair", PAIR, {"a": ("FP32", [4]), "b": ("FP32", [4])}, ["sum", "difference"])
    write_echo(root, "echo", {**{name: (name, [-1]) for name in NUMBERS}, "BYTES": ("STRING", [-1])})
    write_echo(root, "echo_fp32", {"FP32": ("FP32", [-1])})
    write_echo(root, "echo_bytes", {"BYTES": ("STRING", [1])})


def main(http_port: int, models: Path, grpc_port: int | None = None) -> None:
    write_models(models)
    package = Path(LIBRARIES) / "pytriton" / "tritonserver"
    work = Path(tempfile.mkdtemp(prefix="triton-"))
    write_repository(models, work / "models")
    backends = shutil.copytree(package / "backends", work / "backends")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stub = shutil.copy(package / "python_backend_stubs" / version / "triton_python_backend_stub", backends / "python")
    server = package / "bin" / "tritonserver"
    for program in (stub, server):
        os.chmod(program, 0o755)
    libraries = f"{Path(LIBRARIES) / 'nvidia_pytriton.libs'}:{sysconfig.get_config_var('LIBDIR')}"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    flags = [
        f"--model-repository={work / 'models'}",
        f"--backend-directory={backends}",
        f"--cache-directory={package / 'caches'}",
        "--cache-config=local,size=16777216",
        "--model-control-mode=explicit",
        f"--http-port={http_port}",
        *(["--allow-grpc=false"] if grpc_port is None else [f"--grpc-port={grpc_port}", "--load-model=pair", "--load-model=echo"]),
        "--allow-metrics=false",
        "--exit-on-error=false",
    ]
    os.execve(server, [str(server), *flags], {**os.environ, "LD_LIBRARY_PATH": libraries, "PATH": path})


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), *(int(port) for port in sys.argv[3:]))
