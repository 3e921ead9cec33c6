"""Deploys the application to a running Ray cluster and waits until it serves. `npm run cluster` calls it.

    python -m cluster.deploy ADDRESS PORT SETTINGS

ADDRESS is Ray's, PORT where the API is to listen on 127.0.0.1, SETTINGS JSON as in settings.py.
"""

import sys

import ray
from ray import serve

from .app import build
from .settings import Settings

APP = "cluster"


def main(address: str, port: int, settings: Settings) -> None:
    ray.init(address=address, log_to_driver=False, logging_level="error")
    serve.start(proxy_location="HeadOnly", http_options={"host": "127.0.0.1", "port": port})
    serve.run(build(settings), name=APP, route_prefix="/")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Settings.model_validate_json(sys.argv[3]))
