"""From keyword arguments to the words of the command, which the native half takes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Literal, Optional, Union

from ._errors import ConfigError

StrPath = Union[str, "os.PathLike[str]"]

#: ``"[bind:]port:host:hostport"`` as after ``ssh -L`` and ``-R``, or ``(host, hostport)`` with a free port, or
#: ``(port, host, hostport)``, or ``(bind, port, host, hostport)``.
ForwardSpec = Union[str, tuple[str, int], tuple[int, str, int], tuple[str, int, str, int]]

#: ``"[bind:]port"`` as after ``ssh -D``, or a port; 0 for a free one.
DynamicSpec = Union[str, int]

#: What happens to a server's key that is not on record: it is refused, or the function ``ask`` decides, or it is
#: accepted and put on record, or no key is checked at all, on record or not.
HostKeyPolicy = Literal["strict", "ask", "accept-new", "dangerously-accept-any"]

#: What is told of each packet: nothing, its message and length, its first bytes too with secrets of the login masked, or
#: with nothing masked at all.
PacketTrace = Literal["off", "packets", "bytes", "dangerously-unmasked"]

OptionValue = Union[str, int, float, bool]

#: What else the command takes: keywords of ``ssh_config``, such as ``"Ciphers"``, and its own options, such as
#: ``"--idle-timeout"``; a list for what can be given several times.
Options = Mapping[str, Union[OptionValue, list[OptionValue]]]

_POLICIES: dict[str, str] = {
    "strict": "yes",
    "ask": "ask",
    "accept-new": "accept-new",
    "dangerously-accept-any": "no",
}


def words(
    destination: str,
    *,
    local: Union[ForwardSpec, list[ForwardSpec], None],
    remote: Union[ForwardSpec, DynamicSpec, list[Union[ForwardSpec, DynamicSpec]], None],
    dynamic: Union[DynamicSpec, list[DynamicSpec], None],
    user: Optional[str],
    port: Optional[int],
    key: Union[StrPath, list[StrPath], None],
    known_hosts: Union[StrPath, list[StrPath], None],
    host_key_policy: Optional[HostKeyPolicy],
    jump: Union[str, list[str], None],
    proxy: Optional[str],
    packet_trace: Optional[PacketTrace],
    config: Union[bool, StrPath],
    options: Optional[Options],
) -> list[str]:
    """The words for a tunnel."""
    result: list[str] = []
    if config is not True:
        result += ["-F", "none" if config is False else os.path.expanduser(os.fspath(config))]
    result += _each("-L", local, forward_text)
    result += _each("-R", remote, lambda spec: str(spec) if isinstance(spec, int) else forward_text(spec))
    result += _each("-D", dynamic, str)
    result += _each("-l", user, str)
    result += _each("-p", port, str)
    result += _each("-i", key, _key)
    if known_hosts is not None:
        files = " ".join(_path(file) for file in _list(known_hosts)) or "none"
        result += ["-o", f"UserKnownHostsFile={files}", "-o", "GlobalKnownHostsFile=none"]
    if host_key_policy is not None:
        result += ["-o", f"StrictHostKeyChecking={_policy(host_key_policy)}"]
    if jump is not None:
        result += ["-J", ",".join(_list(jump))]
    result += _each("--proxy", proxy, str)
    result += _each("--packet-trace", packet_trace, str)
    for name, values in (options or {}).items():
        result += [word for value in _list(values) for word in _option(name, value)]
    # What follows is no option, whatever it begins with.
    return [*result, "--", destination]


def forward_text(spec: ForwardSpec) -> str:
    """A local or remote forward as the command takes it."""
    if isinstance(spec, str):
        return spec
    if not isinstance(spec, tuple) or not 2 <= len(spec) <= 4:
        raise _mistake(f"{spec!r} is no forward; write \"port:host:hostport\" or (host, hostport)")
    parts: tuple[Union[str, int], ...] = spec if len(spec) > 2 else (0, *spec)
    return ":".join(_bracketed(part) for part in parts)


def _bracketed(part: Union[str, int]) -> str:
    text = str(part)
    return f"[{text}]" if ":" in text else text


def _each(flag: str, values: Any, text: Callable[[Any], str]) -> list[str]:
    if values is None:
        return []
    return [word for value in _list(values) for word in (flag, text(value))]


def _list(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [values]


def _key(key: StrPath) -> str:
    if isinstance(key, str) and key.startswith("pkcs11:"):
        return key
    return _path(key)


def _path(path: StrPath) -> str:
    """A path as a word of ssh_config: whatever it holds, it means itself."""
    text = os.path.expanduser(os.fspath(path))
    if '"' in text or "${" in text or "\n" in text:
        raise _mistake(f"the path {text!r} has a character that no path in ssh_config can have")
    return '"' + text.replace("\\", "\\\\").replace("%", "%%") + '"'


def _policy(policy: str) -> str:
    try:
        return _POLICIES[policy]
    except KeyError:
        raise _mistake(f"{policy!r} is no host_key_policy; there are {', '.join(map(repr, _POLICIES))}") from None


def _option(name: str, value: OptionValue) -> list[str]:
    if isinstance(value, bool):
        if name.startswith("--"):
            return [name] if value else []
        value = "yes" if value else "no"
    # One word, so that no value can be taken for another option.
    return [f"{name}={value}"] if name.startswith("--") else ["-o", f"{name}={value}"]


def _mistake(problem: str) -> ConfigError:
    return ConfigError(10022, problem, kind="configuration", step="configure")
