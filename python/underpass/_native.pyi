"""The native half of the package."""

import socket
from collections.abc import Callable, Sequence
from typing import Any, Literal, Optional, TypeVar, Union, final

__all__ = ["Component", "Event", "Forward", "Operation", "Question", "Stats", "Tunnel", "__version__", "open", "shutdown"]

__version__: str

_T = TypeVar("_T")
# Called once, on a thread of the native half: with the outcome, or with an exception.
_Done = Callable[[Optional[_T], Optional[BaseException]], None]

@final
class Operation:
    """Something that is being done, and can be given up."""

    def cancel(self) -> None:
        """Gives up. The callback is called all the same, with an error, unless it was called already."""

@final
class Event:
    """Something that happened in a tunnel."""

    @property
    def name(self) -> str:
        """A short name, such as ``"listening"``."""

    @property
    def level(self) -> int:
        """How much somebody must want to know to be told: 0, always, to 3."""

    @property
    def message(self) -> str:
        """One line, in which text from the server is escaped."""

    @property
    def fields(self) -> dict[str, Any]:
        """Its parts, by name; times in seconds, errors as exceptions."""

    @property
    def dump(self) -> Optional[str]:
        """Of a packet: lines of its bytes, where they are told."""

@final
class Question:
    """A question on the way to the server. Text from the server is in it as it came."""

    @property
    def kind(self) -> Literal["password", "passphrase", "pin", "prompt", "new-password", "host-key"]:
        """What is asked for."""

    @property
    def text(self) -> str:
        """What to show."""

    @property
    def about(self) -> str:
        """The file, host, user or token that it is about."""

    @property
    def attempt(self) -> int:
        """Counts from 1."""

    @property
    def echo(self) -> bool:
        """Whether the answer may be seen while it is typed."""

    @property
    def fingerprint(self) -> Optional[str]:
        """Of a host key: its fingerprint."""

@final
class Stats:
    """What a tunnel has carried since it was opened."""

    @property
    def open(self) -> int:
        """Connections open now."""

    @property
    def total(self) -> int:
        """Connections that were opened, those still open included."""

    @property
    def failed(self) -> int:
        """Connections that did not reach their target."""

    @property
    def sent(self) -> int:
        """Bytes towards the server; for remote forwards, towards their targets."""

    @property
    def received(self) -> int:
        """Bytes from the server; for remote forwards, from their targets."""

@final
class Forward:
    """A forward of a running tunnel."""

    @property
    def kind(self) -> Literal["local", "dynamic", "remote", "remote-dynamic"]:
        """What it does."""

    @property
    def target(self) -> Optional[str]:
        """Where its connections go, as ``host:port`` or a path; ``None`` where they say so by themselves."""

    @property
    def addresses(self) -> list[tuple[str, Optional[int]]]:
        """Where it takes connections now: each a host and port, or the path of a Unix-domain socket and ``None``.

        Empty for a remote forward that the server does not grant at the moment.
        """

@final
class Tunnel:
    """An open tunnel. It belongs to the process that opened it."""

    @property
    def state(self) -> Literal["connecting", "open", "reconnecting", "stopping", "closed"]:
        """What it is doing."""

    @property
    def is_own(self) -> bool:
        """Whether it was opened by the process that asks, and not by one that has forked since."""

    def stats(self) -> Stats:
        """What it has carried so far."""

    def forwards(self) -> list[Forward]:
        """Its forwards, in the order in which they were added."""

    def rekey(self) -> None:
        """Agrees on new keys with the server."""

    def network_changed(self) -> None:
        """Says that the network has changed."""

    def wait_ready(self, seconds: float, done: _Done[None]) -> Operation:
        """Waits until it is of use."""

    def wait_closed(self, done: _Done[None]) -> Operation:
        """Waits for its end."""

    def connect(self, host: str, port: Optional[int], done: _Done[socket.socket]) -> Operation:
        """Connects to a host and port behind the server, or to a Unix-domain socket there if the port is ``None``."""

    def add_forward(self, kind: str, text: str, done: _Done[Forward]) -> Operation:
        """Adds a forward of a kind, written as the command takes it."""

    def remove_forward(self, forward: Forward, done: _Done[bool]) -> Operation:
        """Stops listening for a forward. Gives whether it was there."""

    def close(self, grace: float, done: _Done[None]) -> Operation:
        """Stops it, and gives connections some seconds to end."""

@final
class Component:
    """A tunnel as a component, by the names of its members."""

    def __new__(cls) -> "Component": ...
    def get(self, name: str) -> Any:
        """A property of the tunnel."""

    def set(self, name: str, value: object) -> None:
        """Sets a property of the tunnel."""

    def get_client(self, name: str, client_id: int) -> Any:
        """A property of a client."""

    def set_client(self, name: str, client_id: int, value: object) -> None:
        """Sets a property of a client."""

    def config(self, configuration_string: str) -> str:
        """Sets a setting, ``Name=Value``, or reads one, ``Name``."""

    def connect(self) -> None:
        """Connects, without logging on."""

    def start_listening(self) -> None:
        """Connects, logs on and accepts clients."""

    def stop_listening(self) -> None:
        """Accepts no more clients."""

    def disconnect(self, connection_id: int) -> None:
        """Ends the connection of one client."""

    def do_events(self) -> None:
        """Delivers the events that wait."""

    def shutdown(self) -> None:
        """Ends everything."""

    def reset(self) -> None:
        """Gives every member its default again."""

    def encode_packet(self, packet: bytes) -> str:
        """A packet in hexadecimal."""

    def decode_packet(self, encoded_packet: str) -> bytes:
        """A packet from hexadecimal."""

    def set_ssh_param(self, payload: bytes, field_type: str, field_value: str) -> bytes:
        """Adds a field to a packet."""

    def get_ssh_param(self, payload: bytes, field: str) -> str:
        """Reads a field of a packet."""

    def get_ssh_param_bytes(self, payload: bytes, field: str) -> bytes:
        """Reads a field of a packet as bytes."""

    def on(
        self, event: str, handle: Optional[Callable[[dict[str, Any]], dict[str, Any]]]
    ) -> None:
        """Has it called with the fields of each such event; it gives those that it sets."""

def open(
    words: Sequence[str],
    password: Optional[str],
    passphrase: Optional[str],
    pin: Optional[str],
    listener: Callable[[Event], int],
    level: int,
    ask: Optional[Callable[[Question], Union[str, bool, None]]],
    done: _Done[Tunnel],
) -> Operation:
    """Opens a tunnel with these options of the command."""

def shutdown() -> None:
    """Ends everything that calls into Python, before the interpreter goes away."""
