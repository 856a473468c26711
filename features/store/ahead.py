"""Shard after shard through a store: one is hashed, and one is written, while the next is read.

Hashing takes as long as reading and does not hold Python's lock, writing waits for the disk. Each
is done in a thread of its own, in order, one shard at a time; the order of what is handed out, and
which error is raised first, are those of a plain loop. Beside the shard that somebody is at, two
or three more are held, so shards that are large are taken one after the other instead.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, TypeVar

from gensr.features.store.schema import Header

T = TypeVar("T")
"""An item: which shard."""
A = TypeVar("A")
"""It fetched."""
B = TypeVar("B")
"""What was seen of it."""

_LARGE = 2**28
"""Bytes of a shard, as float32, beyond which no other is held beside it."""

Answer = Callable[[], tuple[A, B]]
"""Gives an item as it was fetched, and what was seen; raises what either met."""


def may_go_ahead(header: Header) -> bool:
    """Whether a store's shards are small enough for several to be held."""
    return 4 * header.shard_clips * len(header.layers) * header.width <= _LARGE


def looked_at(
    items: Iterable[T], fetch: Callable[[T], A], look: Callable[[T, A], B], *, ahead: bool
) -> Iterator[tuple[T, Answer[A, B]]]:
    """Yield every item with its answer, in order.

    Args:
        items: what to fetch.
        fetch: called here, in order.
        look: called in another thread, in order, one at a time.
        ahead: whether the next is fetched before one is yielded; two are in memory then, beside
            the one that was yielded last. Else all is done here, one after the other.
    """
    if not ahead:
        for item in items:
            yield item, _at_once(item, fetch, look)
        return
    with ThreadPoolExecutor(1) as pool:
        waiting: tuple[T, Answer[A, B]] | None = None
        for item in items:
            coming = _begun(item, fetch, look, pool)
            if waiting is not None:
                yield waiting
            waiting = item, coming
        if waiting is not None:
            yield waiting


def _at_once(item: T, fetch: Callable[[T], A], look: Callable[[T, A], B]) -> Answer[A, B]:
    def answer() -> tuple[A, B]:
        found = fetch(item)
        return found, look(item, found)

    return answer


def _begun(
    item: T, fetch: Callable[[T], A], look: Callable[[T, A], B], pool: ThreadPoolExecutor
) -> Answer[A, B]:
    try:
        found = fetch(item)
    except Exception as error:
        return _raising(error)
    seen = pool.submit(look, item, found)
    return lambda: (found, seen.result())


def _raising(error: Exception) -> Callable[[], tuple[A, B]]:
    def answer() -> tuple[A, B]:
        raise error

    return answer


class Behind(Generic[B]):
    """A function that is called in a thread of its own, while the caller goes on; one at a time.

    Args:
        function: what to call.
        ahead: whether the caller goes on at once, else when the call is over.
    """

    def __init__(self, function: Callable[..., B], *, ahead: bool) -> None:
        self._function, self._ahead = function, ahead
        self._pool = ThreadPoolExecutor(1)
        self._call: Future[B] | None = None

    def __call__(self, *arguments: object) -> None:
        """Begin a call when the one before is over; raise what that one has raised."""
        self.wait()
        if self._ahead:
            self._call = self._pool.submit(self._function, *arguments)
        else:
            self._function(*arguments)

    def wait(self) -> None:
        """Wait for the last call, and raise what it has raised."""
        call, self._call = self._call, None
        if call is not None:
            call.result()

    def __enter__(self) -> "Behind[B]":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._pool:
            self.wait()  # what went wrong there was begun before what went wrong here
