"""Programs written for ``sshtunnel``, with the import changed."""

from __future__ import annotations

import logging
import os
import socket
from pathlib import Path
from typing import Any

import pytest
import servers

import underpass
from servers import PASSWORD, USER, Server
from underpass.compat import BaseSSHTunnelForwarderError, SSHTunnelForwarder, open_tunnel


@pytest.fixture
def known(server: Server, other_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home in which the servers' keys are on record, as a user's would be."""
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh/known_hosts").write_text(server.known_hosts.read_text() + other_server.known_hosts.read_text())
    (home / ".ssh/config").write_text("Host gateway\n  HostName 127.0.0.1\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


def talk(port: int, host: str = "127.0.0.1") -> bytes:
    with socket.create_connection((host, port)) as connection:
        connection.sendall(b"hello")
        return connection.recv(5)


@pytest.mark.usefixtures("known")
def test_start_and_stop_with_a_password(other_server: Server, echo_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    forwarder = SSHTunnelForwarder(
        ("127.0.0.1", other_server.port),
        ssh_username=USER,
        ssh_password=PASSWORD,
        remote_bind_address=("127.0.0.1", echo_port),
    )
    assert not forwarder.is_active
    with pytest.raises(BaseSSHTunnelForwarderError):
        forwarder.local_bind_port
    forwarder.start()
    print(forwarder.local_bind_port)
    port = int(capsys.readouterr().out)
    assert talk(port) == b"hello"
    assert forwarder.is_active and forwarder.is_alive
    assert forwarder.local_bind_address == (forwarder.local_bind_host, port) == ("0.0.0.0", port)
    assert forwarder.tunnel_bindings == {("127.0.0.1", echo_port): ("0.0.0.0", port)}
    assert forwarder.tunnel_is_up == {("0.0.0.0", port): True}
    assert forwarder.local_is_up(("0.0.0.0", port))
    forwarder.restart()
    assert talk(forwarder.local_bind_port) == b"hello"
    forwarder.stop()
    assert not forwarder.is_active
    forwarder.stop()


@pytest.mark.usefixtures("known")
def test_with_an_encrypted_key_and_a_local_address(server: Server, echo_port: int, tmp_path: Path) -> None:
    key = servers.new_key(tmp_path / "id_locked", "-N", "secret")
    authorized = server.key.parent / "authorized_keys"
    authorized.write_text(authorized.read_text() + Path(f"{key}.pub").read_text())
    local = servers.free_port()
    with open_tunnel(
        ("127.0.0.1", server.port),
        ssh_username=USER,
        ssh_pkey=str(key),
        ssh_private_key_password="secret",
        remote_bind_address=("127.0.0.1", echo_port),
        local_bind_address=("127.0.0.1", local),
    ) as tunnel:
        assert tunnel.local_bind_address == ("127.0.0.1", local)
        assert talk(local) == b"hello"


@pytest.mark.usefixtures("known")
def test_several_targets_and_the_log(
    server: Server, echo_port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nothing = servers.free_port()
    logger = logging.getLogger("program")
    with open_tunnel(
        "gateway",
        ssh_port=server.port,
        ssh_username=USER,
        ssh_pkey=server.key,
        remote_bind_addresses=[("127.0.0.1", echo_port), ("127.0.0.1", nothing)],
        local_bind_addresses=[("127.0.0.1",)],
        logger=logger,
        debug_level="INFO",
        skip_tunnel_checkup=False,
        block_on_close=False,
    ) as tunnel:
        assert len(tunnel.local_bind_ports) == 2
        assert tunnel.local_bind_hosts == ["127.0.0.1", "0.0.0.0"]
        assert talk(tunnel.local_bind_ports[0]) == b"hello"
        assert [*tunnel.tunnel_is_up.values()] == [True, False]
        with pytest.raises(BaseSSHTunnelForwarderError):
            tunnel.local_bind_port
    assert logger.level == logging.INFO
    assert "is not reached" in caplog.text
    assert {record.name for record in caplog.records if "listening" in record.message} == {"program"}


@pytest.mark.usefixtures("known")
def test_a_tunnel_through_a_tunnel(server: Server, other_server: Server, echo_port: int) -> None:
    with open_tunnel(
        ssh_address_or_host=("localhost", server.port),
        ssh_username=USER,
        ssh_pkey=server.key,
        remote_bind_address=("127.0.0.1", other_server.port),
    ) as tunnel1:
        # The port differs each time, so the key is given, as sshtunnel's documentation does for a host that it knows.
        with open_tunnel(
            ssh_address_or_host=("localhost", tunnel1.local_bind_port),
            remote_bind_address=("127.0.0.1", echo_port),
            ssh_username=USER,
            ssh_password=PASSWORD,
            ssh_host_key=" ".join(other_server.known_hosts.read_text().split()[:3]),
        ) as tunnel2:
            assert talk(tunnel2.local_bind_port) == b"hello"


def test_host_keys_are_checked_unless_that_is_switched_off_by_name(
    server: Server, echo_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    arguments: dict[str, Any] = {
        "ssh_username": USER,
        "ssh_pkey": server.key,
        "allow_agent": False,
        "remote_bind_address": ("127.0.0.1", echo_port),
    }
    address = ("127.0.0.1", server.port)
    with pytest.raises(underpass.HostKeyError):
        SSHTunnelForwarder(address, **arguments).start()
    wrong = Path(f"{servers.new_key(tmp_path / 'other')}.pub").read_text()
    with pytest.raises(underpass.HostKeyError):
        SSHTunnelForwarder(address, ssh_host_key=wrong, **arguments).start()
    with SSHTunnelForwarder(address, host_key_policy="dangerously-accept-any", **arguments) as tunnel:
        assert talk(tunnel.local_bind_port) == b"hello"
    assert not (tmp_path / ".ssh").exists()


def test_keys_are_found_in_directories_and_taken_as_objects(server: Server, echo_port: int, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "id_ed25519").write_bytes(server.key.read_bytes())
    (keys / "id_ed25519").chmod(0o600)
    (keys / "id_ed25519.pub").write_text("not a private key")
    assert SSHTunnelForwarder.get_keys(host_pkey_directories=[keys]) == [str(keys / "id_ed25519")]

    class Key:
        def write_private_key(self, file: Any) -> None:
            file.write(server.key.read_text())

    for more in ({"host_pkey_directories": [keys]}, {"ssh_pkey": Key()}):
        with SSHTunnelForwarder(
            ("127.0.0.1", server.port),
            ssh_config_file=None,
            ssh_username=USER,
            known_hosts=server.known_hosts,
            allow_agent=False,
            compression=True,
            remote_bind_address=("127.0.0.1", echo_port),
            **more,
        ) as tunnel:
            assert talk(tunnel.local_bind_port) == b"hello"


def test_mistakes_are_told_before_anything_is_done() -> None:
    target = ("127.0.0.1", 1)
    for arguments in (
        {},
        {"remote_bind_address": target, "remote_bind_addresses": [target]},
        {"remote_bind_address": target, "local_bind_addresses": [target, target]},
        {"remote_bind_address": target, "no_such": 1},
    ):
        with pytest.raises(underpass.ConfigError):
            SSHTunnelForwarder("gateway", **arguments)
    with pytest.raises(underpass.ConfigError):
        SSHTunnelForwarder(remote_bind_address=target)
    with pytest.warns(DeprecationWarning, match="ssh_address_or_host"):
        assert SSHTunnelForwarder(ssh_host="gateway", remote_bind_address=target).ssh_host == "gateway"
