"""How work of the native half is waited for: by a thread, or by an event loop.

The native half waits for nothing: it calls back. A thread waits for a lock of Python's, which lets other threads run and
is interrupted by Ctrl-C; an event loop is woken.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from typing import Optional, TypeVar, cast

from ._errors import TunnelTimeout
from ._native import Operation

T = TypeVar("T")
Done = Callable[[Optional[T], Optional[BaseException]], None]
Start = Callable[[Done[T]], Operation]


def wait(start: Start[T], timeout: Optional[float] = None) -> T:
    """Does it, and waits. If that is interrupted or takes too long, it is given up."""
    ready = threading.Lock()
    ready.acquire()
    outcome: list[tuple[Optional[T], Optional[BaseException]]] = []

    def done(value: Optional[T], error: Optional[BaseException]) -> None:
        outcome.append((value, error))
        ready.release()

    operation = start(done)
    try:
        in_time = _acquire(ready, timeout)
    except BaseException:
        operation.cancel()
        raise
    if not in_time:
        operation.cancel()
        raise _too_late(timeout)
    value, error = outcome[0]
    if error is not None:
        raise error
    return cast(T, value)


async def wait_async(start: Start[T], timeout: Optional[float] = None) -> T:
    """The same within an event loop. If the task is cancelled, it is given up."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(value: Optional[T], error: Optional[BaseException]) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(cast(T, value))

    def done(value: Optional[T], error: Optional[BaseException]) -> None:
        try:
            loop.call_soon_threadsafe(settle, value, error)
        except RuntimeError:
            pass  # The loop is closed, and nobody waits any more.

    operation = start(done)
    try:
        return await asyncio.wait_for(future, timeout)
    except asyncio.TimeoutError as error:
        if future.done() and not future.cancelled():
            raise  # It is the outcome itself.
        operation.cancel()
        raise _too_late(timeout) from error
    except asyncio.CancelledError:
        operation.cancel()
        raise


def _acquire(lock: threading.Lock, timeout: Optional[float]) -> bool:
    if timeout is not None:
        return lock.acquire(timeout=max(timeout, 0))
    if sys.platform == "win32":
        # There, Ctrl-C interrupts no wait without an end.
        while not lock.acquire(timeout=0.2):
            pass
        return True
    return lock.acquire()


def _too_late(timeout: Optional[float]) -> TunnelTimeout:
    return TunnelTimeout(
        10060,
        f"it was not done after {timeout} s; what to do: allow more time, or look into the log for what it waits for",
        kind="timeout",
        advice="allow more time, or look into the log for what it waits for",
    )
