"""Deploys the application to a running Ray cluster and waits until it serves. `npm run cluster` calls it.

    python -m cluster.deploy ADDRESS NODES PORT SETTINGS

ADDRESS is Ray's, NODES how many nodes it has or is about to have, PORT where the API is to listen on 127.0.0.1,
SETTINGS JSON as in settings.py.
"""

import sys
import time

import ray
from ray import serve

from .app import build
from .settings import Settings

APP = "cluster"
NODES_WITHIN_S = 120


def main(address: str, nodes: int, port: int, settings: Settings) -> None:
    ray.init(address=address, log_to_driver=False, logging_level="error")
    await_nodes(nodes)
    serve.start(proxy_location="HeadOnly", http_options={"host": "127.0.0.1", "port": port})
    serve.run(build(settings), name=APP, route_prefix="/")


def await_nodes(count: int) -> None:
    ends_at = time.monotonic() + NODES_WITHIN_S
    while sum(node["Alive"] for node in ray.nodes()) < count:
        if time.monotonic() > ends_at:
            raise SystemExit(f"the cluster has not {count} nodes after {NODES_WITHIN_S} s")
        time.sleep(0.2)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Settings.model_validate_json(sys.argv[4]))
