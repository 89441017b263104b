"""Tunnels, as programs hold them."""

from __future__ import annotations

import asyncio
import atexit
import os
import socket
import weakref
from collections.abc import Generator
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Optional, Union

from . import _native
from ._errors import ConfigError, SSHTunnelError
from ._events import Listener
from ._native import Forward, Question, Stats
from ._wait import Start, wait, wait_async
from ._words import DynamicSpec, ForwardSpec, forward_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self


#: How long a tunnel may take to be ready, in seconds, unless it is said otherwise.
PATIENCE = 30.0

# What is open in this process.
_open: weakref.WeakSet[_Base] = weakref.WeakSet()


class _Base:
    """What tunnels have in common, whether they are waited for by threads or by event loops."""

    def __init__(self, native: _native.Tunnel, grace: float) -> None:
        self._native = native
        self._grace = grace
        _open.add(self)

    @property
    def state(self) -> str:
        """What the tunnel is doing: ``"open"``, ``"reconnecting"``, ``"stopping"`` or ``"closed"``.

        In a process that was forked from the one that opened it, it is closed.
        """
        return self._native.state

    def stats(self) -> Stats:
        """What it has carried so far."""
        return self._native.stats()

    @property
    def forwards(self) -> list[Forward]:
        """The forwards, in the order in which they were added."""
        return self._native.forwards()

    @property
    def local_addresses(self) -> list[tuple[str, int]]:
        """Where this machine takes connections: the first address of each local or dynamic forward, as host and port."""
        return [address for forward in self.forwards if not _is_remote(forward) for address in _first(forward)]

    @property
    def local_address(self) -> tuple[str, int]:
        """The host and port to connect to: the first of :attr:`local_addresses`."""
        for address in self.local_addresses:
            return address
        raise ConfigError(
            10022,
            "this tunnel listens on no port of this machine; what to do: give `local` or `dynamic`, or use `connect`",
            kind="configuration",
        )

    @property
    def local_ports(self) -> list[int]:
        """The ports of :attr:`local_addresses`."""
        return [port for _, port in self.local_addresses]

    @property
    def local_port(self) -> int:
        """The port of this machine to connect to, of the first local or dynamic forward."""
        return self.local_address[1]

    @property
    def remote_ports(self) -> list[int]:
        """The ports of the server, one for each remote forward that it grants at the moment."""
        return [port for forward in self.forwards if _is_remote(forward) for _, port in _first(forward)]

    def rekey(self) -> None:
        """Agrees on new keys with the server, beside what the tunnel does. The event ``key-exchange`` tells when."""
        self._native.rekey()

    def network_changed(self) -> None:
        """Says that the network has changed, so that a broken connection is noticed now and not by its silence."""
        self._native.network_changed()

    def __repr__(self) -> str:
        shown = "".join(f" {forward}" for forward in self.forwards) if self._native.is_own else ""
        return f"<{type(self).__name__} {self.state}{shown}>"

    # What is waited for, each as the work to start.

    def _starting_close(self, grace: Optional[float]) -> Start[None]:
        return partial(self._native.close, self._grace if grace is None else grace)

    def _starting_connection(self, host: str, port: Optional[int]) -> Start[socket.socket]:
        return partial(self._native.connect, host, port)

    def _starting_removal(self, forward: Forward) -> Start[bool]:
        return partial(self._native.remove_forward, forward)

    def _starting_forwards(
        self,
        local: Optional[ForwardSpec],
        remote: Union[ForwardSpec, DynamicSpec, None],
        dynamic: Optional[DynamicSpec],
    ) -> Start[Forward]:
        given = [(kind, spec) for kind, spec in (("local", local), ("remote", remote), ("dynamic", dynamic)) if spec is not None]
        if len(given) != 1:
            raise ConfigError(10022, "name one forward: `local`, `remote` or `dynamic`", kind="configuration")
        kind, spec = given[0]
        text = str(spec) if isinstance(spec, int) else forward_text(spec)
        return partial(self._native.add_forward, kind, text)


class Tunnel(_Base):
    """An open tunnel. Methods wait, and let other threads run meanwhile; Ctrl-C interrupts them.

    Use it with ``with``, or :meth:`close` it. One that is dropped is cut.
    """

    def wait_ready(self, timeout: float = PATIENCE) -> None:
        """Waits until the server is connected, every forward is listened for, and the ``--probe`` is reached.

        :raises SSHTunnelError: it was not within ``timeout`` seconds, or the tunnel has ended.
        """
        wait(partial(self._native.wait_ready, timeout))

    def wait_closed(self, timeout: Optional[float] = None) -> None:
        """Waits for the tunnel's end, whatever brings it about.

        :raises SSHTunnelError: why it ended, unless it was closed; or it did not within ``timeout`` seconds.
        """
        wait(self._native.wait_closed, timeout)

    def connect(self, host: str, port: Optional[int] = None, timeout: Optional[float] = None) -> socket.socket:
        """Connects to a target behind the server without a port on this machine.

        Gives a real socket: it can be wrapped by :mod:`ssl`, waited for by :mod:`selectors`, handed to a library. The
        server looks ``host`` up. Without ``port``, ``host`` is the path of a Unix-domain socket of the server.

        :raises TargetUnreachable: the server does not reach it.
        """
        return wait(self._starting_connection(host, port), timeout)

    def add_forward(
        self,
        local: Optional[ForwardSpec] = None,
        *,
        remote: Union[ForwardSpec, DynamicSpec, None] = None,
        dynamic: Optional[DynamicSpec] = None,
    ) -> Forward:
        """Adds one forward to the running tunnel."""
        return wait(self._starting_forwards(local, remote, dynamic))

    def remove_forward(self, forward: Forward) -> bool:
        """Stops listening for a forward; its connections go on. False: there is no such forward any more."""
        return wait(self._starting_removal(forward))

    def close(self, grace: Optional[float] = None) -> None:
        """Stops listening, waits up to ``grace`` seconds for connections to end, cuts those that remain.

        Afterwards the ports are free. A second call does nothing, and so does one in a forked process.
        """
        if not self._native.is_own:
            return
        try:
            wait(self._starting_close(grace))
        except KeyboardInterrupt:
            # As with the command: whoever is impatient gets their way.
            self._native.close(0, _nobody_cares)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()


class AsyncTunnel(_Base):
    """An open tunnel within an event loop. Use it with ``async with``, or :meth:`close` it. One that is dropped is cut."""

    async def wait_ready(self, timeout: float = PATIENCE) -> None:
        """Waits until the server is connected, every forward is listened for, and the ``--probe`` is reached.

        :raises SSHTunnelError: it was not within ``timeout`` seconds, or the tunnel has ended.
        """
        await wait_async(partial(self._native.wait_ready, timeout))

    async def wait_closed(self) -> None:
        """Waits for the tunnel's end, whatever brings it about.

        :raises SSHTunnelError: why it ended, unless it was closed.
        """
        await wait_async(self._native.wait_closed)

    async def connect(self, host: str, port: Optional[int] = None) -> socket.socket:
        """Connects to a target behind the server; gives a non-blocking socket, as event loops want it."""
        connected = await wait_async(self._starting_connection(host, port))
        connected.setblocking(False)
        return connected

    async def open_connection(
        self, host: str, port: Optional[int] = None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connects to a target behind the server, as :func:`asyncio.open_connection` does to others."""
        return await asyncio.open_connection(sock=await self.connect(host, port))

    async def add_forward(
        self,
        local: Optional[ForwardSpec] = None,
        *,
        remote: Union[ForwardSpec, DynamicSpec, None] = None,
        dynamic: Optional[DynamicSpec] = None,
    ) -> Forward:
        """Adds one forward to the running tunnel."""
        return await wait_async(self._starting_forwards(local, remote, dynamic))

    async def remove_forward(self, forward: Forward) -> bool:
        """Stops listening for a forward; its connections go on. False: there is no such forward any more."""
        return await wait_async(self._starting_removal(forward))

    async def close(self, grace: Optional[float] = None) -> None:
        """Stops listening, waits up to ``grace`` seconds for connections to end, cuts those that remain."""
        if self._native.is_own:
            await wait_async(self._starting_close(grace))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        await self.close()


class TunnelOpener:
    """A tunnel to be opened, by ``with``, ``async with``, ``await`` or :meth:`open`. Each opens another one."""

    def __init__(
        self,
        words: list[str],
        *,
        password: Optional[str],
        passphrase: Optional[str],
        pin: Optional[str],
        ask: Optional[Callable[[Question], Union[str, bool, None]]],
        listener: Callable[[], Listener],
        timeout: Optional[float],
        grace: float,
    ) -> None:
        self._words = words
        self._secrets = (password, passphrase, pin)
        self._ask = ask
        self._listener = listener
        self._timeout = timeout
        self._grace = grace
        self._entered: list[Union[Tunnel, AsyncTunnel]] = []

    def open(self) -> Tunnel:
        """Opens the tunnel: connects, checks the host key, logs in, listens.

        :raises SSHTunnelError: the first step that failed; nothing is left of the tunnel then.
        """
        return Tunnel(wait(self._starting(self._listener()), self._timeout), self._grace)

    async def open_async(self) -> AsyncTunnel:
        """Opens the tunnel within an event loop, where its handlers are then called."""
        listener = self._listener()
        listener.loop = asyncio.get_running_loop()
        return AsyncTunnel(await wait_async(self._starting(listener), self._timeout), self._grace)

    def __await__(self) -> Generator[object, None, AsyncTunnel]:
        return self.open_async().__await__()

    def __enter__(self) -> Tunnel:
        tunnel = self.open()
        self._entered.append(tunnel)
        return tunnel

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        tunnel = self._entered.pop()
        assert isinstance(tunnel, Tunnel)
        tunnel.close()

    async def __aenter__(self) -> AsyncTunnel:
        tunnel = await self.open_async()
        self._entered.append(tunnel)
        return tunnel

    async def __aexit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        tunnel = self._entered.pop()
        assert isinstance(tunnel, AsyncTunnel)
        await tunnel.close()

    def _starting(self, listener: Listener) -> Start[_native.Tunnel]:
        return partial(_native.open, self._words, *self._secrets, listener, listener.level(), self._ask)


def _is_remote(forward: Forward) -> bool:
    return forward.kind.startswith("remote")


def _first(forward: Forward) -> list[tuple[str, int]]:
    """Its first address with a port, if there is one."""
    return [(host, port) for host, port in forward.addresses if port is not None][:1]


def _nobody_cares(value: object, error: Optional[BaseException]) -> None:
    pass


def _close_all() -> None:
    """Takes leave of servers before the interpreter goes; without grace, and not for long."""
    closing = [partial(tunnel._native.close, 0.0) for tunnel in list(_open) if tunnel._native.is_own]
    for start in closing:
        try:
            wait(start, timeout=1.0)
        except SSHTunnelError:
            pass
    _native.shutdown()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_open.clear)
