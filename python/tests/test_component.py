"""``SSHTunnel``: every member as the interface has it, and what the object does, against OpenSSH."""

from __future__ import annotations

import inspect
import json
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import tomllib  # type: ignore[import-not-found]
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

import pytest
import servers

import underpass
from servers import Server
from underpass import SSHTunnel, _sshtunnel

FACTS = tomllib.loads((servers.ROOT / "conformance/spec-facts.toml").read_text())

# Defaults that differ on purpose, as the reference lists them.
DEVIATIONS = {"ClientSSHVersionString"}


@pytest.fixture
def tunnel(server: Server, echo_port: int) -> Iterator[SSHTunnel]:
    """Ready to start, to the echoing target."""
    with SSHTunnel() as tunnel:
        tunnel.ssh_host, tunnel.ssh_port = "127.0.0.1", server.port
        tunnel.ssh_user, tunnel.ssh_password = servers.USER, servers.PASSWORD
        tunnel.ssh_forward_host, tunnel.ssh_forward_port = "127.0.0.1", echo_port
        tunnel.local_host = "127.0.0.1"
        tunnel.config("SSHAcceptAnyServerHostKey=True")
        yield tunnel


def exchange(tunnel: SSHTunnel, text: bytes) -> bytes:
    """What comes back, while events are delivered."""
    found: list[bytes] = []

    def talk() -> None:
        with socket.create_connection(("127.0.0.1", tunnel.local_port), servers.PATIENCE) as client:
            client.sendall(text)
            client.shutdown(socket.SHUT_WR)
            found.append(servers.read_all(client))

    thread = threading.Thread(target=talk)
    thread.start()
    while thread.is_alive():
        tunnel.do_events()
    return found[0]


@pytest.mark.parametrize("fact", FACTS["property"], ids=lambda fact: fact["name"])
def test_a_property_is_as_the_interface_has_it(fact: dict[str, Any]) -> None:
    name, kind, access = fact["name"], fact["type"], fact["access"]
    getter, setter = getattr(SSHTunnel, f"get_{name}", None), getattr(SSHTunnel, f"set_{name}", None)
    assert (getter is not None) == (access != "write-only")
    assert (setter is not None) == (access != "read-only")
    client = ["client_id"] if fact["indexed"] else []
    if getter is not None:
        signature = inspect.signature(getter)
        assert list(signature.parameters) == ["self", *client] and signature.return_annotation == kind
    if setter is not None:
        signature = inspect.signature(setter)
        assert list(signature.parameters) == ["self", *client, "value"]
        assert signature.parameters["value"].annotation == kind
    if fact["indexed"]:
        assert not hasattr(SSHTunnel, name)
        with pytest.raises(underpass.SSHTunnelError) as raised:
            SSHTunnel().set_client_data_to_send(0, b"") if getter is None else getter(SSHTunnel(), 0)
        assert raised.value.code == 126
        return
    as_property = inspect.getattr_static(SSHTunnel, name)
    assert isinstance(as_property, property) and as_property.__doc__
    assert (as_property.fset is not None) == (setter is not None)
    default = fact.get("default")
    if isinstance(default, list):
        default = ",".join(default)
    if kind == "bytes" and default is not None:
        default = default.encode()
    found = getattr(SSHTunnel(), name)
    assert type(found).__name__ == kind and (default is None or found == default)


@pytest.mark.parametrize("fact", FACTS["method"], ids=lambda fact: fact["name"])
def test_a_method_is_as_the_interface_has_it(fact: dict[str, Any]) -> None:
    signature = inspect.signature(getattr(SSHTunnel, fact["name"]))
    assert list(signature.parameters)[1:] == [name for name, _ in fact["params"]]
    assert [parameter.annotation for parameter in list(signature.parameters.values())[1:]] == [
        kind for _, kind in fact["params"]
    ]
    assert signature.return_annotation == (fact["returns"] or "None")


@pytest.mark.parametrize("fact", FACTS["event"], ids=lambda fact: fact["name"])
def test_an_event_is_as_the_interface_has_it(fact: dict[str, Any]) -> None:
    name = fact["name"]
    tunnel = SSHTunnel()
    assert getattr(tunnel, name) is None

    def hook(params: Any) -> None:
        pass

    setattr(tunnel, name, hook)
    assert getattr(tunnel, name) is hook
    setattr(tunnel, name, None)
    assert getattr(tunnel, name) is None
    words = ["SSH" if word == "ssh" else word.title() for word in name.removeprefix("on_").split("_")]
    params = getattr(_sshtunnel, f"SSHTunnel{''.join(words)}EventParams")
    for field, kind, direction, _ in fact["params"]:
        as_property = inspect.getattr_static(params, field)
        assert inspect.signature(as_property.fget).return_annotation == kind
        assert (as_property.fset is not None) == (direction == "in-out")


@pytest.mark.parametrize("fact", FACTS["config"], ids=lambda fact: f"{fact['group']}-{fact['name']}")
def test_a_setting_is_as_the_interface_has_it(fact: dict[str, Any]) -> None:
    tunnel, name = SSHTunnel(), fact["name"]
    if fact.get("index"):
        name += "[1]"
    if fact.get("access") == "action":
        with pytest.raises(underpass.SSHTunnelError) as raised:
            tunnel.config(name)
        assert raised.value.code == 212
        return
    found, default = tunnel.config(name), fact.get("default")
    if fact["name"] in DEVIATIONS:
        assert found.startswith("SSH-2.0-Underpass")
    elif isinstance(default, list):
        assert found == ",".join(default)
    elif default is not None:
        assert found == str(default)
    if fact.get("access") == "read-only":
        with pytest.raises(underpass.SSHTunnelError):
            tunnel.config(f"{name}=1")
    elif "platform" not in fact and fact["type"] == "bool" and not fact["name"].startswith("Use"):
        assert tunnel.config(f"{name.lower()}=yes") == "" and tunnel.config(name) == "True"


def test_a_program_for_the_interface_runs(tunnel: SSHTunnel) -> None:
    said: list[str] = []
    lines: list[bytes] = []

    def on_connected(e: Any) -> None:
        said.append(f"{e.connection_id}: {e.description}")

    def on_data_in(e: Any) -> None:
        lines.append(e.text)

    def on_server(e: Any) -> None:
        assert len(e.fingerprint) == 95 and e.key_algorithm == "ssh-ed25519" and not e.accept
        e.accept = True

    tunnel.config("SSHAcceptAnyServerHostKey=False")
    tunnel.default_eol = b"\n"
    tunnel.on_connected = on_connected
    tunnel.on_data_in = on_data_in
    tunnel.on_ssh_server_authentication = on_server
    tunnel.start_listening()
    assert tunnel.listening and tunnel.connected and tunnel.local_port > 0
    assert exchange(tunnel, b"one\ntwo\n") == b"one\ntwo\n"
    assert lines == [b"one", b"two"] and said[0] == "-1: OK"
    tunnel.shutdown()
    assert not tunnel.listening and not tunnel.connected


def test_errors_have_codes_and_classes(tunnel: SSHTunnel) -> None:
    tunnel.ssh_password = "wrong"
    with pytest.raises(underpass.AuthError) as refused:
        tunnel.start_listening()
    assert refused.value.code == 1032 and "Authentication failed" in refused.value.message
    tunnel.config("SSHAcceptAnyServerHostKey=False")
    with pytest.raises(underpass.HostKeyError) as stranger:
        tunnel.start_listening()
    assert stranger.value.code == 1030
    with pytest.raises(underpass.ConfigError):
        tunnel.ssh_auth_mode = 99
    with pytest.raises(TypeError, match="ssh_port is an int, not str"):
        tunnel.set_ssh_port("22")  # type: ignore[arg-type]
    tunnel.ssh_port = servers.free_port()
    with pytest.raises(ConnectionError):
        tunnel.connect()


def test_a_handler_that_raises_is_heard_of(tunnel: SSHTunnel) -> None:
    def on_status(_: Any) -> None:
        raise ValueError("mine")

    tunnel.on_ssh_status = on_status
    with pytest.raises(ValueError, match="mine"):
        tunnel.start_listening()
    # What was done is done; the handler's exception is no failure of the tunnel's.
    tunnel.on_ssh_status = None
    tunnel.shutdown()
    tunnel.start_listening()
    assert exchange(tunnel, b"x") == b"x"


def test_a_handler_may_call_back(tunnel: SSHTunnel) -> None:
    seen: list[Optional[int]] = []

    def on_connected(e: Any) -> None:
        if e.connection_id > 0:
            seen.append(tunnel.client_count)
            tunnel.set_client_user_data(0, b"mine")
            tunnel.do_events()
            with pytest.raises(underpass.SSHTunnelError) as refused:
                tunnel.start_listening()
            seen.append(refused.value.code)

    tunnel.on_connected = on_connected
    tunnel.start_listening()
    assert exchange(tunnel, b"x") == b"x"
    assert seen == [1, 211]


def test_packets_are_made_and_read(tunnel: SSHTunnel) -> None:
    packet = tunnel.set_ssh_param(b"", "b", "50")
    packet = tunnel.set_ssh_param(packet, "s", "tess")
    assert packet == b"\x32\0\0\0\x04tess"
    assert tunnel.decode_packet(tunnel.encode_packet(packet)) == packet
    assert tunnel.get_ssh_param(packet, "%b,s") == "tess"
    assert tunnel.get_ssh_param_bytes(packet, "%b,s") == b"tess"


PRELUDE = """
import os, socket, sys, time
import underpass
port, password, echo = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
def ready():
    t = underpass.SSHTunnel()
    t.ssh_host, t.ssh_port, t.ssh_user, t.ssh_password = "127.0.0.1", port, "tess", password
    t.ssh_forward_host, t.ssh_forward_port, t.local_host = "127.0.0.1", echo, "127.0.0.1"
    t.config("SSHAcceptAnyServerHostKey=True")
    return t
"""


def run(server: Server, echo_port: int, program: str, interrupt: bool = False) -> tuple[int, list[str]]:
    words = [str(server.port), servers.PASSWORD, str(echo_port)]
    command = [sys.executable, "-X", "faulthandler", "-c", PRELUDE + textwrap.dedent(program), *words]
    place: Path = server.key.parent
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=place)
    assert process.stdout is not None
    said = ""
    if interrupt:
        said = process.stdout.readline()
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    return process.returncode, (said + rest).split()


def test_ctrl_c_interrupts_what_waits(server: Server, echo_port: int) -> None:
    code, said = run(
        server,
        echo_port,
        """
        t = ready()
        silent = socket.create_server(("127.0.0.1", 0))
        t.ssh_port = silent.getsockname()[1]
        print("waiting", flush=True)
        try:
            t.start_listening()
        except KeyboardInterrupt:
            print("interrupted", t.connected)
        t.ssh_port = port
        t.start_listening()
        print(t.listening)
        """,
        interrupt=True,
    )
    assert (code, said) == (0, ["waiting", "interrupted", "False", "True"])


def test_a_fork_and_the_end_with_a_live_tunnel(server: Server, echo_port: int) -> None:
    code, said = run(
        server,
        echo_port,
        """
        t = ready()
        t.start_listening()
        child = os.fork()
        if child == 0:
            try:
                t.do_events()
            except underpass.TunnelClosed as error:
                print("not mine", error.code, flush=True)
            own = ready()
            own.start_listening()
            print("own", own.listening, flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        print("still", t.connected, flush=True)
        """,
    )
    assert (code, said) == (0, ["not", "mine", "1117", "own", "True", "still", "True"]), json.dumps(said)
