"""What can go wrong.

Each exception has a ``message`` that says what to do, a numeric ``code``, and the particulars that a program may want:
``kind``, ``step``, ``host``, ``advice``.
"""

from __future__ import annotations

from typing import Any, Optional


class SSHTunnelError(Exception):
    """Something went wrong with a tunnel. All exceptions of this package are of this class."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        kind: str = "",
        step: str = "",
        host: Optional[str] = None,
        advice: Optional[str] = None,
    ) -> None:
        super().__init__(message)
        #: The number of the error, as in the tables of the ``SSHTunnel`` component.
        self.code = code
        #: One or two sentences: what went wrong, and what to do about it.
        self.message = message
        #: A short name for what went wrong, such as ``"host-key-unknown"``.
        self.kind = kind
        #: What was being done, such as ``"authenticate"``.
        self.step = step
        #: The host with which it was being done.
        self.host = host
        #: What to do about it, by itself.
        self.advice = advice

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.code, self.message), self.__dict__.copy()


class ConfigError(SSHTunnelError, ValueError):
    """A setting is wrong."""


class ConnectError(SSHTunnelError, ConnectionError):
    """The server, or a proxy or hop before it, cannot be found or reached."""


class ProtocolError(ConnectError):
    """The server breaks the protocol, or has no algorithm in common."""


class HostKeyError(SSHTunnelError):
    """The server's key is unknown, changed or revoked, or its certificate proves nothing."""


class AuthError(SSHTunnelError):
    """The server refuses the login, or a key or the agent cannot be used."""


class ListenError(SSHTunnelError, OSError):
    """A port of this machine cannot be listened on."""


class ForwardRefused(SSHTunnelError, OSError):
    """The server does not listen for a remote forward."""


class TargetUnreachable(SSHTunnelError, ConnectionError):
    """A target is not reached, or the settings do not allow it. The tunnel goes on."""


class TunnelClosed(SSHTunnelError, ConnectionError):
    """The tunnel has ended, or lost its server."""


class TunnelTimeout(SSHTunnelError, TimeoutError):
    """A step took longer than it may."""


class InternalError(SSHTunnelError):
    """A fault of this package: please report it."""


def from_native(
    kind: str, step: str, host: Optional[str], message: str, advice: Optional[str]
) -> SSHTunnelError:
    """The exception for an error of the native half."""
    kind_of_exception, code = _TABLE.get(kind, (InternalError, _UNKNOWN))
    if (kind, step) in _BY_STEP:
        kind_of_exception, code = _BY_STEP[kind, step]
    whole = message if advice is None else f"{message}; what to do: {advice}"
    return kind_of_exception(code, whole, kind=kind, step=step, host=host, advice=advice)


# The numbers are those that the component has for it.
_TABLE: dict[str, tuple[type[SSHTunnelError], int]] = {
    "configuration": (ConfigError, 10022),
    "resolve": (ConnectError, 11001),
    "dial": (ConnectError, 10061),
    "proxy": (ConnectError, 1036),
    "hop": (ConnectError, 1036),
    "timeout": (TunnelTimeout, 10060),
    "peer-misbehaved": (ProtocolError, 1002),
    "peer-incompatible": (ProtocolError, 1003),
    "peer-rejected": (ProtocolError, 1002),
    "host-key-unknown": (HostKeyError, 1030),
    "host-key-changed": (HostKeyError, 1030),
    "host-key-revoked": (HostKeyError, 1030),
    "host-certificate": (HostKeyError, 1031),
    "kerberos": (AuthError, 1032),
    "authentication": (AuthError, 1032),
    "identity": (AuthError, 1032),
    "agent": (AuthError, 1032),
    "bind": (ListenError, 10048),
    "forward-refused": (ForwardRefused, 1033),
    "target-refused": (TargetUnreachable, 1020),
    "target-unreachable": (TargetUnreachable, 1201),
    "not-allowed": (TargetUnreachable, 10013),
    "too-many": (TargetUnreachable, 10055),
    "disconnected": (TunnelClosed, 1001),
    "lost": (TunnelClosed, 10054),
    "peer-dead": (TunnelClosed, 1039),
    "not-connected": (TunnelClosed, 10057),
    "stopped": (TunnelClosed, 10004),
}

# Servers hang up on too many attempts to log in.
_BY_STEP: dict[tuple[str, str], tuple[type[SSHTunnelError], int]] = {
    ("disconnected", "authenticate"): (AuthError, 1032),
}

_UNKNOWN = 1098


def from_code(code: int, message: str) -> SSHTunnelError:
    """The exception for an error of the component."""
    return _BY_CODE.get(code, SSHTunnelError)(code, message)


_BY_CODE: dict[int, type[SSHTunnelError]] = {
    102: ConfigError,
    116: ConfigError,
    201: TunnelTimeout,
    301: TunnelTimeout,
    302: ConfigError,
    434: ConfigError,
    1001: TunnelClosed,
    1002: ProtocolError,
    1003: ProtocolError,
    1005: ConfigError,
    1012: AuthError,
    1020: TargetUnreachable,
    1030: HostKeyError,
    1031: HostKeyError,
    1032: AuthError,
    1034: ProtocolError,
    1036: ConnectError,
    1037: TunnelClosed,
    1039: TunnelClosed,
    1117: TunnelClosed,
    1120: TunnelClosed,
    1201: TargetUnreachable,
    10013: ListenError,
    10022: ConfigError,
    10035: TunnelTimeout,
    10048: ListenError,
    10049: ListenError,
    10053: TunnelClosed,
    10054: TunnelClosed,
    10060: ConnectError,
    10061: ConnectError,
    11001: ConnectError,
    11004: ConnectError,
}
