"""A graph behind Triton's dynamic batcher: the server that the wheel of nvidia-pytriton carries, and its Python backend.

    python batch_triton.py HTTP_PORT GRPC_PORT MODEL INPUT OUTPUT THREADS ROWS_MAX DELAY_MS

The backend is used without PyTriton's proxies, which add a hop to each run.
"""

import os
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path

HTTP, GRPC, MODEL, INPUT, OUTPUT, THREADS, ROWS_MAX, DELAY_MS = sys.argv[1:]
LIBRARIES = sysconfig.get_paths()["purelib"]
HERE = Path(__file__).resolve().parent

CODE = f"""
import sys
sys.path[:0] = [{LIBRARIES!r}, {str(HERE)!r}]
import numpy as np
import triton_python_backend_utils as pb
from batch_model import open_session

class TritonPythonModel:
    def initialize(self, args):
        self.session = open_session({MODEL!r}, {int(THREADS)})

    def execute(self, requests):
        rows = [pb.get_input_tensor_by_name(request, {INPUT!r}).as_numpy() for request in requests]
        (outputs,) = self.session.run([{OUTPUT!r}], {{{INPUT!r}: np.concatenate(rows)}})
        answers, at = [], 0
        for part in rows:
            answers.append(pb.InferenceResponse([pb.Tensor({OUTPUT!r}, outputs[at : at + len(part)])]))
            at += len(part)
        return answers
"""

CONFIG = f"""
name: "graph"
backend: "python"
max_batch_size: {ROWS_MAX}
dynamic_batching {{ max_queue_delay_microseconds: {int(float(DELAY_MS) * 1000)} }}
instance_group [{{ kind: KIND_CPU, count: 1 }}]
input {{ name: "{INPUT}" data_type: TYPE_INT32 dims: [-1] }}
output {{ name: "{OUTPUT}" data_type: TYPE_FP32 dims: [-1] }}
"""


def main() -> None:
    package = Path(LIBRARIES) / "pytriton" / "tritonserver"
    work = Path(tempfile.mkdtemp(prefix="triton-"))
    (work / "models" / "graph" / "1").mkdir(parents=True)
    (work / "models" / "graph" / "1" / "model.py").write_text(CODE)
    (work / "models" / "graph" / "config.pbtxt").write_text(CONFIG)
    backends = shutil.copytree(package / "backends", work / "backends")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stub = shutil.copy(package / "python_backend_stubs" / version / "triton_python_backend_stub", backends / "python")
    server = package / "bin" / "tritonserver"
    for program in (stub, server):
        os.chmod(program, 0o755)
    libraries = f"{Path(LIBRARIES) / 'nvidia_pytriton.libs'}:{sysconfig.get_config_var('LIBDIR')}"
    flags = [
        f"--model-repository={work / 'models'}",
        f"--backend-directory={backends}",
        "--http-address=127.0.0.1",
        f"--http-port={HTTP}",
        "--allow-grpc=false",
        "--allow-metrics=false",
    ]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    os.execve(server, [str(server), *flags], {**os.environ, "LD_LIBRARY_PATH": libraries, "PATH": path})


if __name__ == "__main__":
    main()
