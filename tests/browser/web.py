"""The pages alone, for what a script in an open page does: the test plays every other process."""

import threading

from flask import Flask
from werkzeug.serving import make_server


class Web:
    """A web server on the database of the test."""

    def __init__(self, app: Flask) -> None:
        self._server = make_server("127.0.0.1", 0, app, threaded=True)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
