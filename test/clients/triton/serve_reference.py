"""Serves `pair` and `echo` from a real Triton server: the binary that the wheel of nvidia-pytriton carries.

    python serve_reference.py HTTP_PORT      (needs requirements-reference.txt)

The server is started without PyTriton's own proxies: its Python backend needs no more than the two files of a model.
"""

import os
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path

NUMBERS = "BOOL UINT8 UINT16 UINT32 UINT64 INT8 INT16 INT32 INT64 FP16 FP32 FP64".split()
DATATYPES = [*NUMBERS, "STRING"]

CODE = f"""
import sys
sys.path.insert(0, {sysconfig.get_paths()["purelib"]!r})
""" + """
import numpy as np
import triton_python_backend_utils as pb

class TritonPythonModel:
    def execute(self, requests):
        return [pb.InferenceResponse([pb.Tensor(name, value) for name, value in self.answer(request) if name in request.requested_output_names()]) for request in requests]

    def answer(self, request):
        given = {tensor.name(): tensor.as_numpy() for tensor in request.inputs()}
        {body}
"""
PAIR = 'yield "sum", given["a"] + given["b"]\n        yield "difference", given["a"] - given["b"]'
ECHO = 'for name, value in given.items():\n            yield name.replace("in_", "out_"), value'


def tensors(kind: str, named: list[tuple[str, str, str]]) -> str:
    return "".join(f'{kind} [{{ name: "{name}" data_type: TYPE_{datatype} dims: [{dims}] }}]\n' for name, datatype, dims in named)


def write_model(root: Path, name: str, body: str, inputs, outputs, more: str = "") -> None:
    folder = root / name / "1"
    folder.mkdir(parents=True)
    (folder / "model.py").write_text(CODE.replace("{body}", body))
    config = f'backend: "python"\nmax_batch_size: 8\n{more}{tensors("input", inputs)}{tensors("output", outputs)}'
    (folder.parent / "config.pbtxt").write_text(config)


def write_echo(root: Path, name: str, datatypes: list[str]) -> None:
    ends = [[(f"{end}_{datatype.replace('STRING', 'BYTES')}", datatype, "-1" if datatype != "STRING" or len(datatypes) > 1 else "1") for datatype in datatypes] for end in ("in", "out")]
    write_model(root, name, ECHO, *ends)


def main(http_port: int) -> None:
    package = Path(sysconfig.get_paths()["purelib"]) / "pytriton" / "tritonserver"
    work = Path(tempfile.mkdtemp(prefix="triton-"))
    models = work / "models"
    ends = [[(name, "FP32", "4") for name in names] for names in (("a", "b"), ("sum", "difference"))]
    write_model(models, "pair", PAIR, *ends, "response_cache { enable: true }\n")
    write_echo(models, "echo", DATATYPES)
    write_echo(models, "echo_fp32", ["FP32"])
    write_echo(models, "echo_bytes", ["STRING"])
    backends = work / "backends"
    shutil.copytree(package / "backends", backends)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stub = shutil.copy(package / "python_backend_stubs" / version / "triton_python_backend_stub", backends / "python")
    os.chmod(stub, 0o755)
    libraries = f"{package.parents[1] / 'nvidia_pytriton.libs'}:{sysconfig.get_config_var('LIBDIR')}:{os.environ.get('LD_LIBRARY_PATH', '')}"
    environment = {**os.environ, "LD_LIBRARY_PATH": libraries, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    server = str(package / "bin" / "tritonserver")
    flags = [
        f"--model-repository={models}",
        f"--backend-directory={backends}",
        f"--cache-directory={package / 'caches'}",
        "--cache-config=local,size=16777216",
        "--model-control-mode=explicit",
        "--load-model=*",
        f"--http-port={http_port}",
        f"--metrics-port={http_port + 2}",
        "--allow-grpc=false",
    ]
    os.chmod(server, 0o755)
    os.execve(server, [server, *flags], environment)


if __name__ == "__main__":
    main(int(sys.argv[1]))
