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
    code: int, kind: str, step: str, host: Optional[str], message: str, advice: Optional[str]
) -> SSHTunnelError:
    """The exception for an error of the native half."""
    exception = _BY_STEP.get((kind, step)) or _BY_KIND.get(kind, InternalError)
    whole = message if advice is None else f"{message}; what to do: {advice}"
    return exception(code, whole, kind=kind, step=step, host=host, advice=advice)


_BY_KIND: dict[str, type[SSHTunnelError]] = {
    "configuration": ConfigError,
    "resolve": ConnectError,
    "dial": ConnectError,
    "proxy": ConnectError,
    "hop": ConnectError,
    "timeout": TunnelTimeout,
    "peer-misbehaved": ProtocolError,
    "peer-incompatible": ProtocolError,
    "peer-rejected": ProtocolError,
    "host-key-unknown": HostKeyError,
    "host-key-changed": HostKeyError,
    "host-key-revoked": HostKeyError,
    "host-key-rejected": HostKeyError,
    "host-certificate": HostKeyError,
    "kerberos": AuthError,
    "authentication": AuthError,
    "identity": AuthError,
    "agent": AuthError,
    "bind": ListenError,
    "forward-refused": ForwardRefused,
    "target-refused": TargetUnreachable,
    "target-unreachable": TargetUnreachable,
    "client-misbehaved": TargetUnreachable,
    "not-allowed": TargetUnreachable,
    "too-many": TargetUnreachable,
    "disconnected": TunnelClosed,
    "lost": TunnelClosed,
    "peer-dead": TunnelClosed,
    "not-connected": TunnelClosed,
    "not-reconnected": TunnelClosed,
    "stopped": TunnelClosed,
    "internal": InternalError,
}

# Servers hang up on too many attempts to log in.
_BY_STEP: dict[tuple[str, str], type[SSHTunnelError]] = {("disconnected", "authenticate"): AuthError}


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
