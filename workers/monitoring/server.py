"""Serves a worker's probes and metrics over HTTP, in a thread of its own."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from socketserver import ThreadingMixIn
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import make_wsgi_app

from shared.errors import ConfigError
from workers.monitoring.probes import Probes

HOST: Final = "0.0.0.0"  # noqa: S104 # Prometheus and the probes come from other machines
REQUEST_WITHIN_S: Final = 5  # a client that sends half a request must not keep a thread
POLL_S: Final = 0.05  # how long a stop may take

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]  # of WSGI


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    timeout = REQUEST_WITHIN_S

    def log_message(self, format: str, *args: Any) -> None:  # the base class names it
        """Log nothing: a probe comes every few seconds."""


@contextmanager
def serving(port: int, probes: Probes) -> Iterator[None]:
    """Serve `/startup`, `/health`, `/ready` and `/metrics`; port 0: nothing.

    Raises ConfigError when the port is taken.
    """
    if not port:
        yield
        return
    try:
        server = make_server(HOST, port, _app(probes), _Server, _Handler)
    except OSError as error:
        raise ConfigError(
            f"Expected a port of this worker's own as WORKER_METRICS_PORT, got {port}: {error}"
        ) from error
    with server:
        threading.Thread(target=server.serve_forever, args=(POLL_S,), daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()


def _app(probes: Probes) -> Application:
    answers = {"/startup": probes.startup, "/health": probes.health, "/ready": probes.ready}
    metrics = make_wsgi_app()

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        probe = answers.get(environ["PATH_INFO"])
        if probe is None:
            found: Iterable[bytes] = metrics(environ, start_response)
            return found
        reason = probe()
        status = HTTPStatus.OK if reason is None else HTTPStatus.SERVICE_UNAVAILABLE
        body = f"{reason or 'ok'}\n".encode()
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
        start_response(f"{status.value} {status.phrase}", headers)
        return [body]

    return app
