"""llama.cpp's own server on 127.0.0.1, on a port that the system chooses.

Takes one argument: a JSON object with `model` (a GGUF file), `alias`, `context_tokens`, `parallel`, `threads`, and
`address_file`, which gets the server's URL once it listens. Runs until SIGTERM, and then ends at once: it keeps nothing,
and a handler in Python would wait for the server's own threads.
"""

import json
import os
import signal
import sys

import xllamacpp
from end_with_parent import end_with_parent


def main() -> None:
    end_with_parent()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)

    settings = json.loads(sys.argv[1])
    params = xllamacpp.CommonParams()
    params.model.path = settings["model"]
    params.model_alias = {settings["alias"]}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    # llama.cpp divides the context among the parallel requests.
    params.n_ctx = settings["context_tokens"] * settings["parallel"]
    params.n_parallel = settings["parallel"]
    params.cpuparams.n_threads = settings["threads"]
    server = xllamacpp.Server(params)

    draft = settings["address_file"] + ".draft"
    with open(draft, "w", encoding="utf-8") as file:
        file.write(server.listening_address)
    os.rename(draft, settings["address_file"])
    while True:
        signal.pause()


main()
