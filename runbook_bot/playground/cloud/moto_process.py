"""moto's server as a child process: prints its address, serves, and ends when its parent's pipe closes."""

import importlib
import json
import os
import sys
import threading

from moto import backends

_NEEDED = ("ec2", "ecs", "elbv2", "cloudwatch", "logs", "rds", "iam", "dynamodb", "sqs")


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def _warm() -> None:
    """Import what every scenario needs while the parent still imports its own; moto would do so at first use."""
    for service in _NEEDED:
        backends.get_backend(service)
        importlib.import_module(f"moto.{service}.urls")


def main() -> None:
    import logging

    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log(self, type: str, message: str, *args: object) -> None:
            """Not a line per request: nobody reads the pipe."""

    logging.disable(logging.CRITICAL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    threading.Thread(target=_warm, daemon=True).start()
    server = make_server(
        "127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True, request_handler=Quiet
    )
    os.environ["MOTO_PORT"] = str(server.port)
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{server.port}"}) + "\n")
    sys.stdout.flush()
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123  # for the life of the process
    server.serve_forever()


if __name__ == "__main__":
    main()
