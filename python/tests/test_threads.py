"""The face for threads, against OpenSSH and asyncssh."""

from __future__ import annotations

import logging
import pickle
import re
import select
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import servers

import underpass
from underpass import _errors
from servers import PASSWORD, Server


def round_trip(connection: socket.socket, text: bytes) -> bytes:
    """What comes back, to the end."""
    connection.settimeout(servers.PATIENCE)
    connection.sendall(text)
    connection.shutdown(socket.SHUT_WR)
    return servers.read_all(connection)


def test_a_local_forward_carries_both_ways(server: Server, other_server: Server, echo_port: int) -> None:
    for peer in (server, other_server):
        with underpass.open_tunnel(peer.address, local=("127.0.0.1", echo_port), **peer.login()) as tunnel:
            assert tunnel.state == "open"
            address = tunnel.local_address
            assert address == ("127.0.0.1", tunnel.local_port)
            assert tunnel.local_ports == [tunnel.local_port]
            tunnel.wait_ready()
            with socket.create_connection(tunnel.local_address) as connection:
                text = b"x" * 1_000_000

                def send(connection: socket.socket = connection) -> None:
                    connection.sendall(text)
                    connection.shutdown(socket.SHUT_WR)

                sender = threading.Thread(target=send)
                sender.start()
                assert servers.read_all(connection) == text
                sender.join()
            # The peer may have read what is not counted yet.
            assert servers.until(lambda: (tunnel.stats().sent, tunnel.stats().received) == (1_000_000, 1_000_000))
        assert tunnel.state == "closed"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)


def test_forwards_are_written_as_ssh_has_them_or_as_values(server: Server, echo_port: int) -> None:
    local: list[underpass.ForwardSpec] = [
        f"0:127.0.0.1:{echo_port}",
        ("localhost", echo_port),
        (0, "db", 5432),
        ("127.0.0.1", 0, "::1", 1),
    ]
    with underpass.open_tunnel(server.address, local=local, remote="0:db:1", dynamic=0, **server.login()) as tunnel:
        assert [forward.kind for forward in tunnel.forwards] == ["local"] * 4 + ["remote", "dynamic"]
        assert [forward.target for forward in tunnel.forwards][:4] == [
            f"127.0.0.1:{echo_port}",
            f"localhost:{echo_port}",
            "db:5432",
            "[::1]:1",
        ]
        assert len(tunnel.local_ports) == 5 and len(tunnel.remote_ports) == 1
        assert len({*tunnel.local_ports}) == 5


def test_forwards_come_and_go(server: Server, echo_port: int) -> None:
    with underpass.open_tunnel(server.address, **server.login()) as tunnel:
        with pytest.raises(underpass.ConfigError, match="local"):
            tunnel.local_port
        forward = tunnel.add_forward(("127.0.0.1", echo_port))
        address = tunnel.local_address
        with socket.create_connection(address) as connection:
            assert round_trip(connection, b"hello") == b"hello"
        assert tunnel.remove_forward(forward) is True
        assert tunnel.remove_forward(forward) is False
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)


def test_a_remote_forward_comes_here(server: Server, echo_port: int) -> None:
    with underpass.open_tunnel(server.address, remote=f"0:127.0.0.1:{echo_port}", **server.login()) as tunnel:
        (port,) = tunnel.remote_ports
        with socket.create_connection(("127.0.0.1", port)) as connection:
            assert round_trip(connection, b"from the server") == b"from the server"


def test_connect_gives_a_real_socket(server: Server, echo_port: int) -> None:
    with underpass.open_tunnel(server.address, **server.login()) as tunnel:
        with tunnel.connect("127.0.0.1", echo_port) as connection:
            assert isinstance(connection, socket.socket)
            connection.settimeout(0.05)
            with pytest.raises(socket.timeout):
                connection.recv(1)
            connection.settimeout(None)
            connection.sendall(b"one line\n")
            assert select.select([connection], [], [], servers.PATIENCE)[0] == [connection]
            with connection.makefile("rb") as lines:
                assert lines.readline() == b"one line\n"
            assert round_trip(connection, b"the rest") == b"the rest"
        assert servers.until(lambda: tunnel.stats().open == 0)


def test_a_lost_connection_is_no_end(server: Server, echo_port: int) -> None:
    with underpass.open_tunnel(server.address, **server.login()) as tunnel:
        connection = tunnel.connect("127.0.0.1", echo_port)
        tunnel.close(0)
        with connection, pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_a_target_that_is_not_reached_is_told(server: Server) -> None:
    with underpass.open_tunnel(server.address, **server.login()) as tunnel:
        with pytest.raises(underpass.TargetUnreachable) as caught:
            tunnel.connect("127.0.0.1", servers.free_port())
        assert isinstance(caught.value, ConnectionError)
        assert (caught.value.kind, caught.value.code) == ("target-refused", 1020)
        assert "what to do" in str(caught.value) and caught.value.advice
        assert tunnel.state == "open"


def test_errors_have_their_class_and_say_what_to_do(server: Server, tmp_path: Path) -> None:
    def error(expected: type[underpass.SSHTunnelError], destination: str = server.address, **changes: Any) -> underpass.SSHTunnelError:
        with pytest.raises(expected) as caught:
            underpass.open_tunnel(destination, **{**server.login(), **changes}).open()
        assert type(caught.value) is expected
        assert caught.value.code and caught.value.message == str(caught.value)
        return caught.value

    refused = error(underpass.ConnectError, f"me@127.0.0.1:{servers.free_port()}")
    assert isinstance(refused, OSError) and refused.kind == "dial" and refused.host == "127.0.0.1"
    nobody = tmp_path / "known_hosts"
    assert error(underpass.HostKeyError, known_hosts=nobody).kind == "host-key-unknown"
    error(underpass.AuthError, key=servers.new_key(tmp_path / "other"))
    error(underpass.AuthError, key=tmp_path / "missing")
    taken = socket.create_server(("127.0.0.1", 0))
    with taken:
        listen = error(underpass.ListenError, local=("127.0.0.1", taken.getsockname()[1], "db", 1))
    assert isinstance(listen, OSError) and "in use" in str(listen)
    error(underpass.ConfigError, "a b")
    error(underpass.ConfigError, options={"NoSuchKeyword": 1})
    error(underpass.ConfigError, host_key_policy="lax")
    error(underpass.ConfigError, local="80")
    assert isinstance(error(underpass.ConfigError, "-oProxyCommand=touch"), ValueError)
    again = pickle.loads(pickle.dumps(refused))
    assert (type(again), again.code, again.advice, str(again)) == (type(refused), refused.code, refused.advice, str(refused))


def test_each_kind_of_error_has_its_class() -> None:
    source = (servers.ROOT / "crates/underpass/src/error/kind.rs").read_text()
    names = set(re.findall(r'=> "([a-z-]+)",', source))
    assert len(names) > 20
    for name in names:
        error = _errors.from_native(1, name, "", None, "message", "advice")
        assert isinstance(error, underpass.InternalError) == (name == "internal"), name


def test_a_server_that_says_nothing_is_given_up(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        opener = underpass.open_tunnel(f"me@127.0.0.1:{silent.getsockname()[1]}", config=False, timeout=0.2)
        with pytest.raises(underpass.TunnelTimeout) as caught:
            opener.open()
        assert isinstance(caught.value, TimeoutError)


def test_passwords_and_questions(other_server: Server, tmp_path: Path) -> None:
    login = {**other_server.login(), "key": [], "options": {"IdentityAgent": "none", "IdentityFile": "none"}}
    with underpass.open_tunnel(other_server.address, password=PASSWORD, **login) as tunnel:
        assert tunnel.state == "open"
    asked: list[underpass.Question] = []

    def answer(question: underpass.Question) -> str:
        asked.append(question)
        return "271828"

    login["options"] = {**login["options"], "PreferredAuthentications": "keyboard-interactive"}
    with underpass.open_tunnel(other_server.address, ask=answer, **login) as tunnel:
        assert tunnel.state == "open"
    assert [(question.kind, question.text, question.echo) for question in asked] == [("prompt", "code: ", False)]


def test_a_person_decides_about_a_host_key(server: Server, tmp_path: Path) -> None:
    record = tmp_path / "a record.txt"
    login = {**server.login(), "known_hosts": record, "host_key_policy": "ask"}
    for answer in (None, False, "yes"):
        with pytest.raises(underpass.HostKeyError):
            underpass.open_tunnel(server.address, ask=lambda question: answer, **login).open()
    asked: list[underpass.Question] = []

    def accept(question: underpass.Question) -> bool:
        asked.append(question)
        return True

    with underpass.open_tunnel(server.address, ask=accept, **login):
        pass
    assert asked[0].kind == "host-key" and asked[0].fingerprint and asked[0].fingerprint.startswith("SHA256:")
    # It is on record now.
    with underpass.open_tunnel(server.address, **{**login, "host_key_policy": "strict"}):
        pass


def test_hops_and_the_files_of_ssh(server: Server, other_server: Server, echo_port: int, tmp_path: Path) -> None:
    known = tmp_path / "known"
    known.write_text(server.known_hosts.read_text() + other_server.known_hosts.read_text())
    config = tmp_path / "config"
    config.write_text(
        f"Host hop\n HostName 127.0.0.1\n Port {other_server.port}\n User {servers.USER}\n IdentityFile {other_server.key}\n"
        f"Host end\n HostName 127.0.0.1\n Port {server.port}\n User {servers.USER}\n IdentityFile {server.key}\n ProxyJump hop\n"
    )
    with underpass.open_tunnel("end", local=("127.0.0.1", echo_port), known_hosts=known, config=config) as tunnel:
        with socket.create_connection(tunnel.local_address) as connection:
            assert round_trip(connection, b"far") == b"far"


def test_events_states_and_the_log(server: Server, echo_port: int, caplog: pytest.LogCaptureFixture) -> None:
    events: list[underpass.Event] = []
    states: list[str] = []
    caplog.set_level(logging.DEBUG, "underpass")
    opener = underpass.open_tunnel(
        server.address,
        local=("127.0.0.1", echo_port),
        on_event=events.append,
        on_state_change=states.append,
        **server.login(),
    )
    with opener as tunnel:
        with socket.create_connection(tunnel.local_address) as connection:
            assert round_trip(connection, b"hello") == b"hello"
        assert servers.until(lambda: "connection-closed" in [event.name for event in events])
    assert servers.until(lambda: states == ["stopping", "closed"]), states
    named = {event.name: event for event in events}
    assert list(named)[-1] == "closed"
    assert named["listening"].fields["port"] == tunnel_port(named["listening"])
    assert named["connection-closed"].fields["sent"] == 5
    assert named["key-exchange"].fields["strict"] is True
    assert named["connecting"].message == str(named["connecting"]) == f"connecting to 127.0.0.1 port {server.port}"
    logged = {record.getMessage(): record.levelno for record in caplog.records}
    assert logged[named["listening"].message] == logging.INFO
    assert logged[named["connecting"].message] == logging.DEBUG


def tunnel_port(listening: underpass.Event) -> int:
    return int(listening.fields["address"].rpartition(":")[2])


def test_a_handler_that_raises_is_logged_and_no_more(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    def fail(event: underpass.Event) -> None:
        raise RuntimeError(f"no {event.name}")

    with underpass.open_tunnel(server.address, on_event=fail, **server.login()) as tunnel:
        tunnel.wait_ready()
    assert servers.until(lambda: "no closed" in caplog.text)
    assert "a handler has raised" in caplog.text


def test_a_handler_may_use_the_tunnel(server: Server, echo_port: int) -> None:
    done = threading.Event()
    seen: list[object] = []

    def handle(event: underpass.Event) -> None:
        if event.name == "connection-opened" and not seen:
            seen.append(tunnel.stats())
            seen.append(tunnel.add_forward(("127.0.0.1", echo_port)))
            with tunnel.connect("127.0.0.1", echo_port) as connection:
                seen.append(round_trip(connection, b"from a handler"))
            tunnel.close(0)
            done.set()

    with underpass.open_tunnel(
        server.address, local=("127.0.0.1", echo_port), on_event=handle, **server.login()
    ) as tunnel:
        with socket.create_connection(tunnel.local_address):
            assert done.wait(servers.PATIENCE)
    assert seen[2] == b"from a handler"
    assert tunnel.state == "closed"


def test_keys_are_renewed_on_request(server: Server) -> None:
    renewed = threading.Event()

    def handle(event: underpass.Event) -> None:
        if event.name == "key-exchange" and event.fields["rekey"]:
            renewed.set()

    with underpass.open_tunnel(server.address, on_event=handle, verbosity=2, **server.login()) as tunnel:
        tunnel.rekey()
        assert renewed.wait(servers.PATIENCE)


def test_a_tunnel_is_ready_when_its_probe_is_reached(server: Server, echo_port: int) -> None:
    for port, ready in ((echo_port, True), (servers.free_port(), False)):
        options = {**server.login()["options"], "--probe": f"127.0.0.1:{port}", "--idle-timeout": 60}
        with underpass.open_tunnel(server.address, **{**server.login(), "options": options}) as tunnel:
            if ready:
                tunnel.wait_ready()
            else:
                with pytest.raises(underpass.TargetUnreachable):
                    tunnel.wait_ready(0.5)


def test_the_limits_of_the_command_hold(server: Server, echo_port: int) -> None:
    options = {**server.login()["options"], "--max-connections": 1}
    with underpass.open_tunnel(server.address, **{**server.login(), "options": options}) as tunnel:
        with tunnel.connect("127.0.0.1", echo_port), pytest.raises(underpass.TargetUnreachable, match="1 already"):
            tunnel.connect("127.0.0.1", echo_port)


def test_other_threads_run_while_one_waits(server: Server) -> None:
    with underpass.open_tunnel(server.address, **server.login()) as tunnel:
        waiter = threading.Thread(target=tunnel.wait_closed)
        waiter.start()
        start = time.monotonic()
        assert sum(range(1000)) == 499500 and time.monotonic() - start < servers.PATIENCE
        assert waiter.is_alive()
    waiter.join(servers.PATIENCE)
    assert not waiter.is_alive()


def test_packets_are_told_as_far_as_is_asked_for(
    server: Server, echo_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "underpass")
    cases: list[tuple[underpass.PacketTrace, bool, bool]] = [
        ("off", False, False),
        ("packets", True, False),
        ("bytes", True, True),
    ]
    for trace, told, dumped in cases:
        caplog.clear()
        events: list[underpass.Event] = []
        with underpass.open_tunnel(
            server.address,
            local=("127.0.0.1", echo_port),
            packet_trace=trace,
            on_event=events.append,
            **server.login(),
        ) as tunnel:
            with socket.create_connection(tunnel.local_address) as connection:
                assert round_trip(connection, b"a mark") == b"a mark"
        packets = [event for event in events if event.name == "packet"]
        lines = [record for record in caplog.records if " packet: type " in record.getMessage()]
        assert all(record.levelno == logging.DEBUG for record in lines)
        assert (bool(packets), bool(lines)) == (told, told)
        assert any("a mark" in record.getMessage() for record in lines) == dumped
        assert any(event.dump is not None and "a mark" in event.dump for event in packets) == dumped
        if told:
            names = [(event.fields["direction"], event.fields["message"]) for event in packets]
            assert ("sent", "SSH_MSG_USERAUTH_REQUEST") in names
            assert ("received", "SSH_MSG_CHANNEL_DATA") in names
            assert PASSWORD not in caplog.text
    with pytest.raises(underpass.ConfigError, match="packet-trace"):
        underpass.open_tunnel(server.address, packet_trace="all").open()  # type: ignore[arg-type]


def test_packets_are_not_traced_for_a_log_that_nobody_keeps(server: Server) -> None:
    logger = logging.Logger("quiet", logging.INFO)
    records: list[logging.LogRecord] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    logger.addHandler(Keeper())
    with underpass.open_tunnel(server.address, packet_trace="packets", logger=logger, **server.login()):
        pass
    assert records and not any(" packet: " in record.getMessage() for record in records)
