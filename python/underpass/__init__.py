"""TCP through SSH: tunnels that stay up.

    import underpass

    with underpass.open_tunnel("me@bastion", local=("db", 5432)) as tunnel:
        connection = psycopg.connect(host="127.0.0.1", port=tunnel.local_port)

The same with ``async with`` in an event loop. There is no ``ssh`` to install and no process to watch: the tunnel runs on
threads of its own, reconnects by itself, and keeps its ports open meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Optional, Union

from ._errors import (
    AuthError,
    ConfigError,
    ConnectError,
    ForwardRefused,
    HostKeyError,
    InternalError,
    ListenError,
    ProtocolError,
    SSHTunnelError,
    TargetUnreachable,
    TunnelClosed,
    TunnelTimeout,
)
from ._events import EventHandler, Listener, Logger, StateHandler
from ._native import Event, Forward, Question, Stats, __version__
from ._sshtunnel import SSHTunnel
from ._tunnel import AsyncTunnel, Tunnel, TunnelOpener
from ._words import DynamicSpec, ForwardSpec, HostKeyPolicy, Options, PacketTrace, StrPath, words

__all__ = [
    "AsyncTunnel",
    "AuthError",
    "ConfigError",
    "ConnectError",
    "DynamicSpec",
    "Event",
    "EventHandler",
    "Forward",
    "ForwardRefused",
    "ForwardSpec",
    "HostKeyError",
    "HostKeyPolicy",
    "InternalError",
    "ListenError",
    "PacketTrace",
    "ProtocolError",
    "Question",
    "SSHTunnel",
    "SSHTunnelError",
    "StateHandler",
    "Stats",
    "TargetUnreachable",
    "Tunnel",
    "TunnelClosed",
    "TunnelOpener",
    "TunnelTimeout",
    "__version__",
    "open_tunnel",
]


def open_tunnel(
    destination: str,
    *,
    local: Union[ForwardSpec, list[ForwardSpec], None] = None,
    remote: Union[ForwardSpec, DynamicSpec, list[Union[ForwardSpec, DynamicSpec]], None] = None,
    dynamic: Union[DynamicSpec, list[DynamicSpec], None] = None,
    user: Optional[str] = None,
    port: Optional[int] = None,
    key: Union[StrPath, list[StrPath], None] = None,
    password: Optional[str] = None,
    passphrase: Optional[str] = None,
    pin: Optional[str] = None,
    known_hosts: Union[StrPath, list[StrPath], None] = None,
    host_key_policy: Optional[HostKeyPolicy] = None,
    jump: Union[str, list[str], None] = None,
    proxy: Optional[str] = None,
    config: Union[bool, StrPath] = True,
    options: Optional[Options] = None,
    ask: Optional[Callable[[Question], Union[str, bool, None]]] = None,
    on_event: Optional[EventHandler] = None,
    on_state_change: Optional[StateHandler] = None,
    verbosity: int = 1,
    packet_trace: Optional[PacketTrace] = None,
    logger: Optional[Logger] = None,
    timeout: Optional[float] = None,
    grace: float = 1.0,
) -> TunnelOpener:
    """A tunnel through an SSH server, to be opened by ``with``, ``async with``, ``await`` or its method ``open``.

    :param destination: the server: ``[user@]host[:port]``, or what ``~/.ssh/config`` calls it.
    :param local: what this machine's ports lead to: ``("db", 5432)`` with a free port of this machine, or as after
        ``ssh -L``, such as ``"5432:db:5432"``; or a list of those.
    :param remote: what the server's ports lead to, from here: as after ``ssh -R``; a port alone is a proxy on the server.
    :param dynamic: ports of this machine for SOCKS and HTTP proxies that leave from the server; 0 for a free one.
    :param user: whom to log in as.
    :param port: the server's port.
    :param key: private keys in files of any format, or ``pkcs11:`` URIs. Default: those that ``ssh`` would use.
    :param password: the password, for this server only.
    :param passphrase: opens encrypted private keys.
    :param pin: the PIN of PKCS#11 tokens.
    :param known_hosts: the only files of host keys to go by. Default: the user's and the machine's.
    :param host_key_policy: what happens to a key that is not on record. Default: it is refused.
    :param jump: servers to go through on the way, each as ``destination``.
    :param proxy: a proxy on the way, such as ``"socks5h://proxy:1080"``; ``"system"`` for what this machine's settings say.
    :param config: whether ``~/.ssh/config`` and ``/etc/ssh/ssh_config`` are read, or another file to read.
    :param options: anything else that the command takes: keywords of ``ssh_config``, such as ``{"Ciphers":
        "aes256-gcm@openssh.com"}``, and its own options, such as ``{"--idle-timeout": 60}``.
    :param ask: answers questions, on a thread of its own: for passwords, and whether a host key is the right one.
    :param on_event: called with what happens, one after the other: in the event loop, or on one thread for all tunnels
        without one. If it raises, that is logged.
    :param on_state_change: called in the same way with each new state of the open tunnel.
    :param verbosity: the highest level of events that ``on_event`` gets, from 0 to 3.
    :param packet_trace: what ``on_event`` and the log get of each packet, whatever ``verbosity`` says: nothing (``"off"``), its
        message, channel and length (``"packets"``), or also its first 2,048 bytes (``"bytes"``). Passwords, answers to prompts
        and tokens of Kerberos are masked then, what the tunnel carries is not; ``"dangerously-unmasked"`` masks nothing.
    :param logger: where to log. Default: ``logging.getLogger("underpass")``.
    :param timeout: how many seconds opening may take as a whole, besides the deadlines of each step.
    :param grace: how many seconds ``close`` waits for open connections unless it is told otherwise.
    :raises ConfigError: a setting makes no sense; some are found only when it is opened.
    """
    return TunnelOpener(
        words(
            destination,
            local=local,
            remote=remote,
            dynamic=dynamic,
            user=user,
            port=port,
            key=key,
            known_hosts=known_hosts,
            host_key_policy=host_key_policy,
            jump=jump,
            proxy=proxy,
            packet_trace=packet_trace,
            config=config,
            options=options,
        ),
        password=password,
        passphrase=passphrase,
        pin=pin,
        ask=ask,
        listener=partial(Listener, on_event, on_state_change, logger, verbosity, packet_trace not in (None, "off")),
        timeout=timeout,
        grace=grace,
    )
