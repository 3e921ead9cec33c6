"""Exercises every method of tritonclient.http, unmodified, against a server, and prints what came of it as JSON.

    python exercise.py HOST:PORT MODELS

MODELS is a folder with a folder for each model: config.json and the files of version 1. The same script runs against
Ledge and against Triton; what it prints is compared. Environment: CALLER_KEY and OPERATOR_KEY, sent as bearer tokens.
"""

import json

# Each module runs its checks as it is imported, in this order: models are loaded first and unloaded last.
import repository, server, inference, refusals, statistics_counted, unloading, machine  # noqa: E401, F401
from harness import client, results

client.close()
print(json.dumps(results))
