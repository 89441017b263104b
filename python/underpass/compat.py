"""For programs written for the package ``sshtunnel``: its two names, with its arguments and attributes.

    from underpass.compat import SSHTunnelForwarder, open_tunnel

What is different, on purpose:

- The server's key is checked against ``known_hosts``, or against ``ssh_host_key`` if that is given. Only
  ``host_key_policy="dangerously-accept-any"`` turns that off.
- The tunnel stays up: when the connection breaks, ports stay open and it connects again.
- Errors are those of this package. ``BaseSSHTunnelForwarderError`` is a name for :class:`underpass.SSHTunnelError`.
- ``threaded``, ``mute_exceptions`` and the sizes of queues and buffers are accepted and have no effect: connections never
  wait for each other.
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
import tempfile
import warnings
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Optional, Union

from . import open_tunnel as _open_tunnel
from ._errors import ConfigError, SSHTunnelError, TunnelClosed
from ._events import LOGGER, Logger
from ._tunnel import Tunnel, TunnelOpener
from ._words import HostKeyPolicy, Options, StrPath

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

__all__ = ["BaseSSHTunnelForwarderError", "HandlerSSHTunnelForwarderError", "SSHTunnelForwarder", "open_tunnel"]

#: What the other package raises.
BaseSSHTunnelForwarderError = SSHTunnelError
HandlerSSHTunnelForwarderError = SSHTunnelError

SSH_CONFIG_FILE = os.path.join("~", ".ssh", "config")

# A host and port of which the port, or for a local address the host as well, may be left out; or a socket's path.
_Address = Union[tuple[str, int], tuple[str], str]

# Names that older versions of the other package had for arguments.
_OLD_NAMES = {"ssh_address": "ssh_address_or_host", "ssh_host": "ssh_address_or_host", "ssh_private_key": "ssh_pkey"}


class SSHTunnelForwarder:
    """Ports of this machine that lead to targets behind an SSH server.

    :param ssh_address_or_host: the server: a name, or a name and a port.
    :param ssh_config_file: the file of ``ssh_config`` to read; ``None`` for none.
    :param ssh_host_key: the server's key, as a line of ``known_hosts``, with or without the names before it.
    :param ssh_password: the password.
    :param ssh_pkey: a private key: a file, or an object with ``write_private_key`` as paramiko has them.
    :param ssh_private_key_password: opens an encrypted private key.
    :param ssh_proxy: a way to the server: ``None``, a URL of a proxy, or an object with a ``cmd`` as paramiko's
        ``ProxyCommand`` has.
    :param ssh_proxy_enabled: whether it counts.
    :param ssh_username: whom to log in as.
    :param local_bind_address: where this machine listens. Default: a free port on all addresses.
    :param local_bind_addresses: the same for each of several targets.
    :param remote_bind_address: the target.
    :param remote_bind_addresses: several targets.
    :param set_keepalive: after how many seconds of silence the server is asked for a sign of life; 0 for never.
    :param compression: whether to compress.
    :param allow_agent: whether the keys of an SSH agent are used.
    :param host_pkey_directories: where private keys (``id_*``) are looked for.
    :param host_key_policy: see :func:`underpass.open_tunnel`.
    :param known_hosts: see :func:`underpass.open_tunnel`.
    :param options: see :func:`underpass.open_tunnel`.
    """

    skip_tunnel_checkup = True
    daemon_forward_servers = True
    daemon_transport = True

    def __init__(
        self,
        ssh_address_or_host: Union[str, tuple[str, int], None] = None,
        ssh_config_file: Optional[StrPath] = SSH_CONFIG_FILE,
        ssh_host_key: Optional[str] = None,
        ssh_password: Optional[str] = None,
        ssh_pkey: Any = None,
        ssh_private_key_password: Optional[str] = None,
        ssh_proxy: Any = None,
        ssh_proxy_enabled: bool = True,
        ssh_username: Optional[str] = None,
        local_bind_address: Optional[_Address] = None,
        local_bind_addresses: Optional[Sequence[_Address]] = None,
        logger: Optional[Logger] = None,
        mute_exceptions: bool = False,
        remote_bind_address: Optional[_Address] = None,
        remote_bind_addresses: Optional[Sequence[_Address]] = None,
        set_keepalive: Optional[float] = 5.0,
        threaded: bool = True,
        compression: Optional[bool] = None,
        allow_agent: bool = True,
        host_pkey_directories: Optional[Sequence[StrPath]] = None,
        *,
        host_key_policy: Optional[HostKeyPolicy] = None,
        known_hosts: Union[StrPath, list[StrPath], None] = None,
        options: Optional[Options] = None,
        ssh_port: Optional[int] = None,
        **old: Any,
    ) -> None:
        for name in old:
            if name not in _OLD_NAMES:
                raise ConfigError(10022, f"SSHTunnelForwarder has no argument {name}", kind="configuration")
            warnings.warn(f"`{name}` is an old name of `{_OLD_NAMES[name]}`", DeprecationWarning, stacklevel=2)
        renamed = {_OLD_NAMES[name]: value for name, value in old.items()}
        host = renamed.get("ssh_address_or_host", ssh_address_or_host)
        if host is None:
            raise ConfigError(10022, "name the server: ssh_address_or_host", kind="configuration")
        if isinstance(host, tuple):
            host, port = host[0], int(host[1]) if len(host) > 1 else None
            ssh_port = ssh_port if port is None else port
        self.ssh_host: str = host
        self.ssh_port = ssh_port
        self.ssh_username = ssh_username
        self.ssh_password = ssh_password
        self.ssh_host_key = ssh_host_key
        self.ssh_pkeys = _pkeys(renamed.get("ssh_pkey", ssh_pkey), host_pkey_directories)
        self.ssh_proxy = ssh_proxy if ssh_proxy_enabled else None
        self.ssh_private_key_password = ssh_private_key_password
        self.ssh_config_file = ssh_config_file
        self.set_keepalive = set_keepalive
        self.compression = compression
        self.allow_agent = allow_agent
        self.logger: Logger = logger if logger is not None else LOGGER
        self._policy = host_key_policy
        self._known_hosts = known_hosts
        self._options = dict(options or {})
        self._remote = _several(remote_bind_address, remote_bind_addresses, "remote")
        self._local = _several(local_bind_address, local_bind_addresses, "local")
        if not self._remote:
            raise ConfigError(10022, "name a target: remote_bind_address", kind="configuration")
        if len(self._local) > len(self._remote):
            raise ConfigError(10022, "there are more local addresses than targets", kind="configuration")
        self._tunnel: Optional[Tunnel] = None
        self._bound: list[tuple[str, int]] = []
        self._scratch: Optional[str] = None

    # Its life.

    def start(self) -> None:
        """Connects to the server and listens."""
        if self.is_active:
            self.logger.warning("the tunnel is started already")
            return
        self._scratch = tempfile.mkdtemp(prefix="underpass-")
        try:
            self._tunnel = self._opener(Path(self._scratch)).open()
        except BaseException:
            self._forget()
            raise
        self._bound = [_bound(forward.addresses[0]) for forward in self._tunnel.forwards[: len(self._remote)]]

    def stop(self, force: bool = False) -> None:
        """Stops listening; waits for open connections unless that is forced, but not for ever."""
        if self._tunnel is not None:
            self._tunnel.close(0 if force else None)
        self._forget()

    def close(self) -> None:
        """Stops at once."""
        self.stop(force=True)

    def restart(self) -> None:
        """Stops, and starts anew."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        try:
            self.start()
        except KeyboardInterrupt:
            self.stop(force=True)
            raise
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.stop(force=True)

    def _opener(self, scratch: Path) -> TunnelOpener:
        options: dict[str, Any] = {}
        if self.set_keepalive is not None:
            options["ServerAliveInterval"] = round(self.set_keepalive)
        if self.compression is not None:
            options["Compression"] = self.compression
        if not self.allow_agent:
            options["IdentityAgent"] = "none"
        proxy = self.ssh_proxy
        if proxy is not None and not isinstance(proxy, str):
            command = proxy.cmd
            options["ProxyCommand"] = command if isinstance(command, str) else " ".join(command)
            proxy = None
        known_hosts = self._known_hosts
        if self.ssh_host_key is not None:
            known_hosts = _pinned(self.ssh_host_key, scratch)
            # Whatever the server is called, the file has its key alone.
            options["HostKeyAlias"] = _ALIAS
        return _open_tunnel(
            self.ssh_host,
            local=[self._forward(at) for at in range(len(self._remote))],
            user=self.ssh_username,
            port=self.ssh_port,
            key=[_key_file(key, scratch, at) for at, key in enumerate(self.ssh_pkeys)],
            password=self.ssh_password,
            passphrase=self.ssh_private_key_password,
            known_hosts=known_hosts,
            host_key_policy=self._policy,
            proxy=proxy,
            config=self._config(),
            options={**options, **self._options},
            logger=self.logger,
        )

    def _config(self) -> Union[bool, StrPath]:
        file = self.ssh_config_file
        if file is None:
            return False
        # The default stands for what ssh reads.
        return True if file == SSH_CONFIG_FILE else file

    def _forward(self, at: int) -> str:
        local = self._local[at] if at < len(self._local) else ("0.0.0.0", 0)
        remote = self._remote[at]
        if isinstance(local, str):
            bind = local
        else:
            host, port = local[0] or "0.0.0.0", local[1] if len(local) > 1 else 0
            bind = f"{_bracketed(host)}:{port}"
        if isinstance(remote, str):
            return f"{bind}:{remote}"
        return f"{bind}:{_bracketed(remote[0])}:{remote[1] if len(remote) > 1 else 22}"

    def _forget(self) -> None:
        self._tunnel = None
        self._bound = []
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None

    # What can be asked of it.

    @property
    def is_active(self) -> bool:
        """Whether there is a connection to the server, or one is being made anew."""
        return self._tunnel is not None and self._tunnel.state in ("open", "reconnecting")

    @property
    def is_alive(self) -> bool:
        """Whether it was started and has not ended."""
        return self.is_active

    @property
    def local_bind_addresses(self) -> list[tuple[str, int]]:
        """Where it listens."""
        return list(self._started())

    @property
    def local_bind_hosts(self) -> list[str]:
        """The hosts of :attr:`local_bind_addresses`."""
        return [host for host, _ in self._started()]

    @property
    def local_bind_ports(self) -> list[int]:
        """The ports of :attr:`local_bind_addresses`."""
        return [port for _, port in self._started()]

    @property
    def local_bind_address(self) -> tuple[str, int]:
        """Where it listens, for the only target."""
        return self._only()

    @property
    def local_bind_host(self) -> str:
        """The host of :attr:`local_bind_address`."""
        return self._only()[0]

    @property
    def local_bind_port(self) -> int:
        """The port of :attr:`local_bind_address`."""
        return self._only()[1]

    @property
    def tunnel_bindings(self) -> dict[_Address, tuple[str, int]]:
        """Where it listens, by target."""
        return dict(zip(self._remote, self._started()))

    @property
    def tunnel_is_up(self) -> dict[tuple[str, int], bool]:
        """Whether each target is reached, by local address. It is tried out."""
        return {local: self._reaches(remote) for remote, local in self.tunnel_bindings.items()}

    def local_is_up(self, target: tuple[str, int]) -> bool:
        """Whether something listens at a local address."""
        host = "127.0.0.1" if target[0] in ("", "0.0.0.0") else target[0]
        try:
            socket.create_connection((host, target[1]), timeout=1.0).close()
        except OSError:
            return False
        return True

    def check_tunnels(self) -> None:
        """Tries each target, and logs which are not reached."""
        for local, up in self.tunnel_is_up.items():
            if not up:
                self.logger.warning("the target behind %s:%s is not reached", *local)

    def __str__(self) -> str:
        user = f"{self.ssh_username}@" if self.ssh_username else ""
        state = "not started" if self._tunnel is None else self._tunnel.state
        targets = ", ".join(str(remote) for remote in self._remote)
        return f"SSH tunnel through {user}{self.ssh_host} to {targets}: {state}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"

    def _started(self) -> list[tuple[str, int]]:
        if self._tunnel is None:
            raise TunnelClosed(10057, "the tunnel is not started; what to do: call start()", kind="stopped")
        return self._bound

    def _only(self) -> tuple[str, int]:
        bound = self._started()
        if len(bound) != 1:
            raise ConfigError(
                10022, "there are several targets; what to do: use the attributes in the plural", kind="configuration"
            )
        return bound[0]

    def _reaches(self, remote: _Address) -> bool:
        assert self._tunnel is not None
        try:
            if isinstance(remote, str):
                self._tunnel.connect(remote).close()
            else:
                self._tunnel.connect(remote[0], remote[1] if len(remote) > 1 else 22).close()
        except SSHTunnelError:
            return False
        return True

    @staticmethod
    def get_keys(
        logger: Optional[Logger] = None,
        host_pkey_directories: Optional[Sequence[StrPath]] = None,
        allow_agent: bool = False,
    ) -> list[str]:
        """The files of private keys (``id_*``) in directories, by default in ``~/.ssh``. The agent's keys are not listed."""
        return _keys_in(["~/.ssh"] if host_pkey_directories is None else host_pkey_directories)


def open_tunnel(*args: Any, **kwargs: Any) -> SSHTunnelForwarder:
    """A tunnel for ``with``. It takes the arguments of :class:`SSHTunnelForwarder`, and ``debug_level`` for its log.

    ``block_on_close`` and ``skip_tunnel_checkup`` are accepted; ``False`` for the latter tries each target once it is up.
    """
    level = kwargs.pop("debug_level", None)
    check = not kwargs.pop("skip_tunnel_checkup", True)
    kwargs.pop("block_on_close", None)
    forwarder = _Checking(*args, **kwargs) if check else SSHTunnelForwarder(*args, **kwargs)
    if level is not None:
        logger = forwarder.logger
        (logger.logger if isinstance(logger, logging.LoggerAdapter) else logger).setLevel(level)
    return forwarder


class _Checking(SSHTunnelForwarder):
    skip_tunnel_checkup = False

    def start(self) -> None:
        super().start()
        self.check_tunnels()


# Under it a pinned key is on record.
_ALIAS = "pinned"


def _several(one: Optional[_Address], several: Optional[Sequence[_Address]], side: str) -> list[_Address]:
    if one is not None and several:
        raise ConfigError(
            10022, f"give either {side}_bind_address or {side}_bind_addresses", kind="configuration"
        )
    return [address if isinstance(address, str) else _pair(address) for address in ([one] if one is not None else several or [])]


def _pair(address: Any) -> _Address:
    return (str(address[0]), int(address[1])) if len(address) > 1 else (str(address[0]),)


def _bound(address: tuple[str, Optional[int]]) -> tuple[str, int]:
    host, port = address
    return host, port if port is not None else 0


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _pkeys(key: Any, directories: Optional[Sequence[StrPath]]) -> list[Any]:
    keys = [] if key is None else list(key) if isinstance(key, (list, tuple)) else [key]
    return keys + _keys_in(directories or [])


def _keys_in(directories: Sequence[StrPath]) -> list[str]:
    found = (path for directory in directories for path in sorted(Path(directory).expanduser().glob("id_*")))
    return [str(path) for path in found if path.is_file() and path.suffix != ".pub" and not path.name.endswith("-cert")]


def _key_file(key: Any, scratch: Path, at: int) -> StrPath:
    """The file of a key. One that is an object, as paramiko's are, is written to a file that goes with the tunnel."""
    if isinstance(key, (str, os.PathLike)):
        return key
    if not hasattr(key, "write_private_key"):
        raise ConfigError(10022, f"{key!r} is no private key; give the path of one", kind="configuration")
    path = scratch / f"key-{at}"
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        key.write_private_key(file)
    return path


def _pinned(line: str, scratch: Path) -> Path:
    """A file of known hosts with one key. Of a line of such a file, only the key counts."""
    words = line.split()
    at = next((at for at, word in enumerate(words[:-1]) if words[at + 1].startswith("AAAA")), None)
    if at is None:
        raise ConfigError(
            10022, "ssh_host_key is no line of a known_hosts file, such as `ssh-ed25519 AAAA…`", kind="configuration"
        )
    path = scratch / "known_hosts"
    path.write_text(f"{_ALIAS} {words[at]} {words[at + 1]}\n")
    return path
