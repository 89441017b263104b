"""Servers of others, each in a directory of its own and on a free port of the loopback interface."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Union

StrPath = Union[str, Path]

ROOT = Path(__file__).parents[2]
USER = "tess"
PASSWORD = "swordfish-9f2c"
# `openssl passwd -6 -salt underpass` of it.
PASSWORD_HASH = "$6$underpass$xL5cHPrYZ3rWHxrGrkeDbF8a68cpdhEh7J4NxmfzP/QypNgPGvt/xKnLV9/Of1VuQEi0T6hJo4ekLH6rfshR61"
PATIENCE = 30.0


class Server:
    """An SSH server that lets ``USER`` in, with ``key`` or ``PASSWORD``."""

    def __init__(self, port: int, key: Path, known_hosts: Path, process: subprocess.Popen[bytes]) -> None:
        self.port = port
        self.key = key
        self.known_hosts = known_hosts
        self.process = process

    @property
    def address(self) -> str:
        return f"{USER}@127.0.0.1:{self.port}"

    def login(self) -> dict[str, Any]:
        """What ``open_tunnel`` needs, besides the address."""
        return {"key": self.key, "known_hosts": self.known_hosts, "config": False, "options": {"IdentityAgent": "none"}}


def new_key(path: Path, *words: str) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", *words, "-f", path], check=True)
    return path


def _known_hosts(directory: Path, port: int, host_key: Path) -> Path:
    public = Path(f"{host_key}.pub").read_text()
    file = directory / "known_hosts"
    file.write_text(f"[127.0.0.1]:{port} {public}[localhost]:{port} {public}")
    return file


@contextmanager
def sshd(directory: Path, *lines: str) -> Iterator[Server]:
    """OpenSSH, which sees one account that exists for the test alone."""
    home = directory / "home"
    home.mkdir(mode=0o700)
    key, host_key = new_key(home / "id"), new_key(directory / "host")
    (home / "authorized_keys").write_text(Path(f"{key}.pub").read_text())
    uid, gid = os.getuid(), os.getgid()
    (directory / "passwd").write_text(
        f"{USER}:x:{uid}:{gid}::{home}:/bin/sh\nsshd:x:65534:65534::/run/sshd:/bin/false\n"
    )
    (directory / "group").write_text(f"{USER}:x:{gid}:\nnogroup:x:65534:\n")
    (directory / "shadow").write_text(f"{USER}:{PASSWORD_HASH}:19000:0:99999:7:::\nsshd:*:19000:0:99999:7:::\n")
    defaults = [
        f"HostKey {host_key}",
        f"AuthorizedKeysFile {home / 'authorized_keys'}",
        "PidFile none",
        "StrictModes no",
        "UsePAM no",
        "UseDNS no",
        "PermitRootLogin yes",
        "MaxStartups 200",
        "LogLevel VERBOSE",
    ]
    config = directory / "sshd_config"
    config.write_text("\n".join([*lines, *defaults]) + "\n")
    if uid == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    environment = {
        **os.environ,
        "LD_PRELOAD": "libnss_wrapper.so",
        **{f"NSS_WRAPPER_{name.upper()}": str(directory / name) for name in ("passwd", "group", "shadow")},
    }

    def start(port: int, log: Path) -> subprocess.Popen[bytes]:
        command: list[StrPath] = ["/usr/sbin/sshd", "-D", "-e", "-f", config, "-o", f"ListenAddress=127.0.0.1:{port}"]
        with log.open("wb") as output:
            return subprocess.Popen(command, env=environment, stderr=output)

    with on_free_port(directory / "sshd.log", start, "Server listening on") as (port, process):
        yield Server(port, key, _known_hosts(directory, port, host_key), process)


@contextmanager
def asyncssh_server(directory: Path) -> Iterator[Server]:
    """The asyncssh server of the other tests, which also asks for a code."""
    key, host_key = new_key(directory / "id"), new_key(directory / "host")
    settings = {
        "host_keys": [str(host_key)],
        "authorized_keys": f"{key}.pub",
        "user": USER,
        "password": PASSWORD,
        "prompts": [[["code: ", False, "271828"]]],
    }
    script = ROOT / "conformance/peers/asyncssh_server.py"
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, script, json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    with process:
        assert process.stdout is not None
        port = int(process.stdout.readline().decode().rpartition(":")[2])
        yield Server(port, key, _known_hosts(directory, port, host_key), process)
        process.terminate()


@contextmanager
def on_free_port(
    log: Path, start: Callable[[int, Path], subprocess.Popen[bytes]], ready: str
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Starts a server that says in its log that it is ready; on another port if somebody was faster."""
    for _ in range(10):
        port = free_port()
        process = start(port, log)
        try:
            if until(lambda: ready in log.read_text(errors="replace") or process.poll() is not None):
                if process.poll() is None:
                    yield port, process
                    return
        finally:
            process.terminate()
            process.wait(PATIENCE)
    raise AssertionError(f"the server does not start: {log.read_text(errors='replace')}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(condition: Callable[[], bool], patience: float = PATIENCE) -> bool:
    """Whether something comes true in time."""
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


@contextmanager
def target(
    serve: Callable[[socket.socket], None], prepare: Callable[[socket.socket], None] = lambda listener: None
) -> Iterator[int]:
    """A target behind the server: each connection is served by a thread."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        prepare(listener)

        def one(connection: socket.socket) -> None:
            with connection:
                try:
                    serve(connection)
                except OSError:
                    pass  # The test has ended it.

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=one, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def echo(connection: socket.socket) -> None:
    while data := connection.recv(65536):
        connection.sendall(data)


def read_all(connection: socket.socket) -> bytes:
    parts = []
    while data := connection.recv(65536):
        parts.append(data)
    return b"".join(parts)
