"""The threads that call functions which a user gave to a credential.

The core waits for such a function without running Python itself; see ``callable`` in the native half. There is always
one thread more than is busy, so that a function may ask another credential that has a function of its own.
"""

from __future__ import annotations

import sys
from _thread import start_new_thread

from ._native import next_job, no_worker
from ._walk import is_unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Awaitable
    from concurrent.futures import Future
    from typing import Any

    from ._native import Job


# What runs on callers' event loops, which hold their tasks weakly.
_handed_over: set[Future[Any]] = set()


def start() -> None:
    """Start a thread. The native half calls this for the first one, in each process."""
    start_new_thread(_work, ())


def _work() -> None:
    while True:
        taken = next_job()
        if taken is None:
            return
        job, is_last = taken
        if is_last:
            try:
                start()
            except RuntimeError:
                # No thread can be had; the work is done by those there are.
                no_worker()
        _do(job)
        del taken, job


def _do(job: Job) -> None:
    try:
        called = job.call()
        if called is None:
            return
        function, arguments = called
        result = function(*arguments)
        del called, function, arguments
        if hasattr(result, "__await__"):
            if _hand_over(job, result):
                return
            result = _run_alone(result)
        job.succeed(result)
    except BaseException as error:
        _fail(job, error)


def _fail(job: Job, error: BaseException) -> None:
    """Let an exception come back to those who wait, as it is, unless it would mean something else to them."""
    asyncio = sys.modules.get("asyncio")
    if isinstance(error, StopIteration) or (asyncio is not None and isinstance(error, asyncio.CancelledError)):
        told = RuntimeError(f"a function of a credential raised {type(error).__name__}")
        told.__cause__ = error
        error = told
    job.fail(error, isinstance(error, Exception) and is_unavailable(error))


def _hand_over(job: Job, awaitable: Awaitable[Any]) -> bool:
    """Have a caller's event loop await, where one is running: what is awaited may belong to it."""
    loops: list[AbstractEventLoop] = [loop for loop in job.loops() if loop.is_running()]
    if not loops:
        return False
    from asyncio import run_coroutine_threadsafe

    coroutine = _await(awaitable)
    try:
        future = run_coroutine_threadsafe(coroutine, loops[0])
    except RuntimeError:
        # It was closed meanwhile.
        coroutine.close()
        return False

    def end(future: Future[Any]) -> None:
        _handed_over.discard(future)
        if future.cancelled():
            # The loop ends, and cancels what runs on it; others may wait too.
            if not job.again():
                _fail(job, RuntimeError("the event loop that awaited a function of a credential was closed"))
            return
        error = future.exception()
        if error is not None:
            _fail(job, error)
            return
        try:
            job.succeed(future.result())
        except TypeError as wrong:
            _fail(job, wrong)

    _handed_over.add(future)
    future.add_done_callback(end)
    return True


def _run_alone(awaitable: Awaitable[Any]) -> Any:
    """Await on an event loop of this thread's own."""
    from asyncio import run

    return run(_await(awaitable))


async def _await(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
