"""Work on images in processes of their own, which may be replaced before they grow: MediaPipe is known to leak memory.

A script that leads here must guard what it runs by `if __name__ == "__main__":`, for each worker imports it first.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context
from typing import Any, TypeVar

from simhand.errors import WorkerError
from simhand.videos.lifetime import end_with_parent

_PARTS_A_WORKER = 64  # then it is replaced; a part being 32 frames or hands, that is 2,048 of them

Part = TypeVar("Part")
Result = TypeVar("Result")


def in_workers(
    start: Callable[[], Callable[[Part], Result]],
    parts: Sequence[Part],
    workers: int,
    parts_a_worker: int = _PARTS_A_WORKER,
) -> Iterator[Result]:
    """Does all parts of some work, and yields the results in the order of the parts.

    Args:
        start: called once in each worker; gives the function that does a part. Parts and results travel by pickle,
            errors too.
        parts: rows of a file, say, rather than images.
        workers: processes at a time.
        parts_a_worker: so many on average, then all are replaced.

    Raises:
        WorkerError: a worker died, killed by the system for its memory, say.
    """
    context = get_context("spawn")  # a fork would copy locks that other threads hold
    for first in range(0, len(parts), workers * parts_a_worker):
        generation = parts[first : first + workers * parts_a_worker]
        count = min(workers, len(generation))
        others = set(active_children())
        executor = ProcessPoolExecutor(count, context, initializer=_begin, initargs=(start, os.getpid()))
        try:
            yield from executor.map(_do, generation)
        except BrokenProcessPool as error:
            raise _died(generation) from error
        except BaseException:  # an error, Ctrl-C, or a caller that wants no more: what is under way is of no use
            for worker in set(active_children()) - others:
                worker.kill()
            raise
        finally:
            executor.shutdown(cancel_futures=True)


def _died(generation: Sequence[Any]) -> WorkerError:
    return WorkerError(
        "a worker process died",
        where=f"while working on {generation[0]} to {generation[-1]}",
        expected="workers that live until their work is done",
        hint="where the system killed it for its memory, give the job more, or fewer threads",
    )


_start: Callable[[], Callable[[Any], Any]]
_work: Callable[[Any], Any] | None = None


def _begin(start: Callable[[], Callable[[Any], Any]], parent: int) -> None:
    """Makes this process a worker that ends with its parent, however that ends, and leaves Ctrl-C to it."""
    global _start  # noqa: PLW0603 - a worker has one task for all its life
    end_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _start = start


def _do(part: Any) -> Any:
    global _work  # noqa: PLW0603
    if _work is None:  # not in `_begin`, whose errors nobody is told
        _work = _start()
    return _work(part)
