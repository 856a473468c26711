"""Workers: started on this machine, or found at the address of a dask scheduler."""

import asyncio
import logging
import re
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import resource_tracker
from types import FrameType
from typing import Any

from gensr.estimator.errors import ConfigError, GensrError, one_line
from gensr.features.interpreter import safe_starts
from gensr.pipeline.extraction.config import ExtractConfig
from gensr.pipeline.extraction.errors import ClusterError

try:
    from distributed import Client, LocalCluster, Nanny
    from distributed import config as dask_settings
    from distributed.comm import connect
    from distributed.security import Security
except ModuleNotFoundError as error:
    raise ConfigError(
        f"--workers and --cluster need dask.distributed ({error}): pip install 'gensr[cluster]'"
    ) from None

_ANSWER = 10.0
"""Seconds that a scheduler may take to answer, and the first worker to be there."""
_ADDRESS = re.compile(r"(?:(tcp|tls|wss?)://)?(?:[\w.-]+|\[[0-9a-fA-F:.%]+\]):(\d{1,5})", re.A)
"""Of a scheduler: a name or a number, and a port."""


class _Starter(Nanny):  # type: ignore[misc]
    """Starts one worker, and starts it again; what it starts imports nothing of this folder."""

    own_code = False
    """Whether the caller's own code is sent, which may have to be imported from there."""

    async def instantiate(self) -> Any:
        with safe_starts(keep=self.own_code):
            resource_tracker.ensure_running()  # its start would undo the next line
            # Ctrl-C is the client's, which ends its workers: they do not hear it, as what this
            # thread starts inherits what it is deaf to.
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            return await super().instantiate()


class _OwnCode(_Starter):
    own_code = True


@contextmanager
def workers(config: ExtractConfig, *, own_code: bool = False) -> Iterator[Client]:
    """Start workers, or join those that are there; they are left as they were found.

    Args:
        config: which.
        own_code: whether an encoder object of the caller's is sent to workers that are started.

    Raises:
        ConfigError: a library is missing.
        ClusterError: no process can be started, no scheduler answers, it has no workers, or one
            has another gensr.
    """
    logger = logging.getLogger("distributed")
    before = logger.level
    logger.setLevel(logging.CRITICAL)  # what matters is raised
    try:
        if config.workers:
            chosen = _started(config.workers, _OwnCode if own_code else _Starter)
        else:
            chosen = _joined(str(config.cluster))
        with chosen as client:
            yield client
    finally:
        logger.setLevel(before)


@contextmanager
def _started(count: int, starter: type[_Starter]) -> Iterator[Client]:
    with _interruption() as ctrl_c, ExitStack() as stack:
        cluster = _local(count, starter)
        stack.callback(cluster.close)
        client = Client(cluster, set_as_default=False)
        stack.callback(client.close)
        with ctrl_c.heard():
            yield client


def _local(count: int, starter: type[_Starter]) -> LocalCluster:
    try:
        return LocalCluster(
            n_workers=count,
            threads_per_worker=2,  # one encodes, the other reads or writes
            worker_class=starter,
            host="127.0.0.1",
            protocol="tls://",
            security=True,  # else anybody on this machine could have code run by the workers
            dashboard_address="127.0.0.1:0",  # any port that is free
            memory_limit=0,  # batches bound it; dask would kill a worker for its model
            silence_logs=logging.CRITICAL,
        )
    except ImportError as error:
        raise ConfigError(
            f"--workers lacks a library ({error}): pip install 'gensr[cluster]'"
        ) from error
    except RuntimeError as error:
        raise ClusterError(
            f"the workers do not start ({one_line(error)}); a script that calls extract() with "
            "workers does so under `if __name__ == '__main__':`"
        ) from None


class _Interruption:
    """Ctrl-C that breaks off once, and only where it may.

    dask's start and its end, half done, leave processes behind; and who has lost patience presses
    again while it ends.
    """

    def __init__(self) -> None:
        self._came = self._told = self._heard = False

    def come(self, number: int, frame: FrameType | None) -> None:
        """Handle SIGINT."""
        self._came = True
        if self._heard:
            self.tell()

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Be broken off in here."""
        try:
            self._heard = True
            self.tell()
            yield
        finally:
            self._heard = False

    def tell(self) -> None:
        """Break off, if Ctrl-C has come and nobody was told yet."""
        if self._came and not self._told:
            self._told = True
            raise KeyboardInterrupt


@contextmanager
def _interruption() -> Iterator[_Interruption]:
    """Keep Ctrl-C except where it is heard; what has come and was not heard breaks off at the end.

    Where it came, an error is likely to be its consequence.
    """
    ctrl_c = _Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield ctrl_c  # it is not told of any
        return
    before = signal.signal(signal.SIGINT, ctrl_c.come)
    try:
        yield ctrl_c
    except GensrError:
        ctrl_c.tell()
        raise
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)
    ctrl_c.tell()


@contextmanager
def _joined(address: str) -> Iterator[Client]:
    found = _ADDRESS.fullmatch(address)
    if found is None or not 0 < int(found[2]) < 1 << 16:
        raise ClusterError(
            f"{address!r} is no address of a dask scheduler: one is like tcp://HOST:8786, as "
            "`dask scheduler` prints it"
        )
    if found[1] in ("tls", "wss") and not _certified():
        raise ClusterError(
            f"{address} speaks TLS, and dask is given no certificate here: name one in its "
            "settings (distributed.comm.tls), as the scheduler's"
        )
    with _interruption() as ctrl_c, _client(address) as client, ctrl_c.heard():
        try:
            client.wait_for_workers(1, timeout=_ANSWER)
        except TimeoutError:
            raise ClusterError(
                f"the cluster at {address} has no worker; start some with `dask worker {address}`"
            ) from None
        _same_gensr(client)
        yield client


def _client(address: str) -> Client:
    try:
        _greeted(address)
        return Client(address, timeout=_ANSWER, set_as_default=False)
    except Exception as error:  # of the system, of TLS, of a protocol's own library
        raise ClusterError(
            f"no dask scheduler answers at {address} ({one_line(error)}); start one with "
            "`dask scheduler`, and workers with `dask worker`"
        ) from None


def _greeted(address: str) -> None:
    """Have a scheduler's greeting, within a time: dask's own client would wait for it for ever.

    Raises:
        OSError: there is none.
    """

    async def greet() -> None:
        options = Security().get_connection_args("client")
        try:
            comm = await asyncio.wait_for(connect(address, timeout=_ANSWER, **options), _ANSWER)
        except TimeoutError:
            raise OSError(f"not a word of one in {_ANSWER:g} s") from None
        await comm.close()

    with ThreadPoolExecutor(1) as thread:  # a notebook has a loop of its own in this one
        thread.submit(lambda: asyncio.run(greet())).result()


def _certified() -> bool:
    """Whether dask's settings give a client what TLS needs; without, it would not end cleanly."""
    if dask_settings.get("distributed", {}).get("client", {}).get("security-loader"):
        return True
    return Security().get_connection_args("client")["ssl_context"] is not None


def _same_gensr(client: Client) -> None:
    """Refuse workers with another gensr, or none: asked by a function that every Python has.

    Raises:
        ClusterError: naming the worker and both versions.
    """
    own = version("gensr")
    for address, found in client.run(version, "gensr", on_error="return").items():
        if isinstance(found, PackageNotFoundError) or (isinstance(found, str) and found != own):
            what = f"gensr {found}" if isinstance(found, str) else "no gensr"
            raise ClusterError(
                f"worker {address} has {what}, this is gensr {own}: install the same on all"
            )
