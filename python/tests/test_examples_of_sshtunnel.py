"""What the documentation of ``sshtunnel`` shows its users, with the import changed and nothing else.

Each program makes the calls of one of the four examples there, against servers of this machine.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import servers

from servers import PASSWORD, USER, Server


@pytest.fixture
def home(server: Server, other_server: Server, tmp_path: Path) -> Path:
    """A user's home. The keys of the servers are on record, whatever port they are reached by."""
    ssh = tmp_path / ".ssh"
    ssh.mkdir(mode=0o700)
    keys = [" ".join(peer.known_hosts.read_text().split()[1:3]) for peer in (server, other_server)]
    (ssh / "known_hosts").write_text("".join(f"[localhost]:*,[127.0.0.1]:* {key}\n" for key in keys))
    (ssh / "config").write_text(f"Host 127.0.0.1\n  User {USER}\n  IdentityFile {server.key}\n")
    return tmp_path


def start(home: Path, program: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "HOME": str(home), "PYTHONUNBUFFERED": "1"}
    environment.pop("SSH_AUTH_SOCK", None)
    # paramiko says that it will change.
    words = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program)]
    return subprocess.Popen(words, env=environment, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def run(home: Path, program: str) -> str:
    process = start(home, program)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    return said


def test_the_first_a_password_and_a_port_that_is_picked(home: Path, other_server: Server, echo_port: int) -> None:
    said = run(
        home,
        f"""
        from underpass.compat import SSHTunnelForwarder
        import socket

        server = SSHTunnelForwarder(
            ("127.0.0.1", {other_server.port}),
            ssh_username="{USER}",
            ssh_password="{PASSWORD}",
            remote_bind_address=("127.0.0.1", {echo_port})
        )

        server.start()
        print(server.local_bind_port)
        with socket.create_connection(("127.0.0.1", server.local_bind_port)) as service:
            service.sendall(b"secret service")
            print(service.recv(100))
        server.stop()
        """,
    )
    assert said.splitlines()[1:] == ["b'secret service'"]


def test_the_second_a_client_of_paramiko_by_way_of_an_encrypted_key(home: Path, server: Server) -> None:
    key = servers.new_key(home / "rsa_key", "-N", "secret")
    authorized = server.key.parent / "authorized_keys"
    authorized.write_text(authorized.read_text() + Path(f"{key}.pub").read_text())
    port = servers.free_port()
    said = run(
        home,
        f"""
        import paramiko
        import underpass.compat as sshtunnel

        with sshtunnel.open_tunnel(
            ("127.0.0.1", {server.port}),
            ssh_username="{USER}",
            ssh_pkey="{key}",
            ssh_private_key_password="secret",
            remote_bind_address=("127.0.0.1", {server.port}),
            local_bind_address=("0.0.0.0", {port})
        ) as tunnel:
            client = paramiko.SSHClient()
            client.load_system_host_keys()
            client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
            client.connect("127.0.0.1", {port}, username="{USER}", key_filename="{server.key}")
            print(client.exec_command("echo inside")[1].read())
            client.close()

        print("FINISH!")
        """,
    )
    assert said.splitlines() == ["b'inside\\n'", "FINISH!"]


def test_the_third_open_until_ctrl_c(home: Path, other_server: Server, echo_port: int) -> None:
    process = start(
        home,
        f"""
        from underpass.compat import open_tunnel
        from time import sleep

        with open_tunnel(
            ("localhost", {other_server.port}),
            ssh_username="{USER}",
            ssh_password="{PASSWORD}",
            remote_bind_address=("127.0.0.1", {echo_port})
        ) as server:

            print(server.local_bind_port)
            while True:
                sleep(1)
        """,
    )
    assert process.stdout is not None
    address = ("127.0.0.1", int(process.stdout.readline()))
    with socket.create_connection(address) as connection:
        connection.sendall(b"db")
        assert connection.recv(2) == b"db"
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)
    assert said.splitlines()[-1] == "KeyboardInterrupt"


def test_the_fourth_a_session_by_way_of_two_tunnels(home: Path, server: Server, other_server: Server) -> None:
    said = run(
        home,
        f"""
        import underpass.compat as sshtunnel
        from paramiko import AutoAddPolicy, SSHClient

        with sshtunnel.open_tunnel(
            ssh_address_or_host=("127.0.0.1", {server.port}),
            remote_bind_address=("127.0.0.1", {other_server.port}),
        ) as tunnel1:
            print("first")
            with sshtunnel.open_tunnel(
                ssh_address_or_host=("localhost", tunnel1.local_bind_port),
                remote_bind_address=("127.0.0.1", {server.port}),
                ssh_username="{USER}",
                ssh_password="{PASSWORD}",
            ) as tunnel2:
                print("second")
                with SSHClient() as ssh:
                    ssh.set_missing_host_key_policy(AutoAddPolicy())
                    ssh.connect(
                        "localhost",
                        port=tunnel2.local_bind_port,
                        username="{USER}",
                        key_filename="{server.key}",
                    )
                    print(ssh.exec_command("echo far away")[1].read())
        """,
    )
    assert said.splitlines() == ["first", "second", "b'far away\\n'"]
