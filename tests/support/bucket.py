"""An S3-compatible server on loopback, in a process of its own, and what it holds."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import s3fs

BUCKET = "bucket"
SECRET = "not-to-be-seen"


@dataclass(frozen=True)
class Server:
    """A server that runs, with one empty bucket."""

    process: subprocess.Popen[bytes]
    environment: dict[str, str]
    """What leads gensr to it, in this process or another."""

    def objects(self, prefix: str) -> dict[str, bytes]:
        """All objects under bucket/prefix: {rest of the name: bytes}."""
        files = self._files()
        whole = f"{BUCKET}/{prefix}"
        names = files.find(whole)
        return {name[len(whole) :].lstrip("/"): files.cat_file(name) for name in names}

    def names(self, prefix: str) -> list[str]:
        """Their names alone."""
        return [name.partition("/")[2] for name in self._files().find(f"{BUCKET}/{prefix}")]

    def make_bucket(self) -> None:
        self._files().mkdir(BUCKET)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()

    def _files(self) -> s3fs.S3FileSystem:
        return s3fs.S3FileSystem(
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            key=self.environment["AWS_ACCESS_KEY_ID"],
            secret=SECRET,
            use_listings_cache=False,
        )


@contextmanager
def serving(*, strict: bool = False) -> Iterator[Server]:
    """Start a server; a strict one knows nobody, and has no bucket."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | ({"INITIAL_NO_AUTH_ACTION_COUNT": "0"} if strict else {}),
    )
    server = Server(
        process,
        {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        },
    )
    try:
        _wait(process, port)
        if not strict:
            server.make_bucket()
        yield server
    finally:
        server.stop()


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    while True:
        assert process.poll() is None, "the server ended before it answered"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
