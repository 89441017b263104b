"""Compares Underpass for Python with what one would use instead, in one run on loopback.

    python compare.py COMMAND [--quick] [--output FILE]

COMMAND is the native command. `cargo xtask bench python` builds everything and runs this.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "python/tests"))

import servers  # noqa: E402

CHUNK = 1 << 20

# Name, title.
CLIENTS = {
    "underpass": "`underpass.open_tunnel`",
    "bridge": "`underpass.compat`",
    "command": "the command `underpass`",
    "asyncssh": "asyncssh",
    "sshtunnel": "sshtunnel",
}


def target(connection: socket.socket) -> None:
    """The first byte says what is wanted: `e`cho, `d`own or `u`p; for the latter a length follows."""
    what = connection.recv(1)
    if what == b"e":
        servers.echo(connection)
        return
    (length,) = struct.unpack("!Q", receive(connection, 8))
    if what == b"d":
        pour(connection, length)
    else:
        sink(connection, length)
        connection.sendall(b"!")


def receive(connection: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        part = connection.recv(length - len(data))
        assert part, "the connection has ended early"
        data += part
    return data


def pour(connection: socket.socket, length: int) -> None:
    """Sends so much, from pages that the system need not copy."""
    file = os.memfd_create("payload")
    try:
        os.truncate(file, CHUNK)
        while length > 0:
            length -= os.sendfile(connection.fileno(), file, 0, min(length, CHUNK))
    finally:
        os.close(file)


def sink(connection: socket.socket, length: int) -> None:
    """Receives so much and drops it, which the system need not copy either."""
    buffer = bytearray(CHUNK)
    while length > 0:
        count = connection.recv_into(buffer, min(length, CHUNK), socket.MSG_TRUNC)
        assert count, "the connection has ended early"
        length -= count


def connect(port: int, what: bytes, length: int = 0) -> socket.socket:
    connection = socket.socket()
    unpace(connection)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.connect(("127.0.0.1", port))
    connection.sendall(what if what == b"e" else what + struct.pack("!Q", length))
    return connection


def unpace(connection: socket.socket) -> None:
    """Before it connects or listens: where the system paces what is sent, the load is not to be what is measured."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")


def congestion_control() -> str:
    """The system's, which the clients and sshd have unless they choose another."""
    with socket.socket() as probe:
        return probe.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0").decode()


def down(port: int, pid: int, size: int) -> float:
    """Megabytes a second from the target."""
    start = time.perf_counter()
    with connect(port, b"d", size) as connection:
        sink(connection, size)
    return size / 1e6 / (time.perf_counter() - start)


def up(port: int, pid: int, size: int) -> float:
    """Megabytes a second to the target."""
    start = time.perf_counter()
    with connect(port, b"u", size) as connection:
        pour(connection, size)
        receive(connection, 1)
    return size / 1e6 / (time.perf_counter() - start)


def connections(port: int, pid: int, count: int) -> float:
    """Connections a second, one after the other, with a byte there and back."""
    start = time.perf_counter()
    for _ in range(count):
        with connect(port, b"e") as connection:
            connection.sendall(b"x")
            receive(connection, 1)
    return count / (time.perf_counter() - start)


def memory(port: int, pid: int, count: int) -> float:
    """KiB for each open connection."""
    before = resident(pid)
    held = []
    for _ in range(count):
        connection = connect(port, b"e")
        connection.sendall(b"x")
        receive(connection, 1)
        held.append(connection)
    after = resident(pid)
    for connection in held:
        connection.close()
    return max(after - before, 0) / count


def resident(pid: int) -> int:
    return int(re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[0])


# Title, function, size, size of a quick run.
METRICS: list[tuple[str, Callable[[int, int, int], float], int, int]] = [
    ("down, MB/s", down, 1_000_000_000, 50_000_000),
    ("up, MB/s", up, 1_000_000_000, 50_000_000),
    ("connections/s", connections, 1000, 100),
    ("KiB for a connection", memory, 200, 50),
]


@contextmanager
def target_process() -> Iterator[int]:
    """The target, in a process of its own."""
    words = [sys.executable, __file__, "target"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.terminate()


@contextmanager
def client(name: str, command: Path, server: servers.Server, target_port: int) -> Iterator[tuple[int, int]]:
    """Its port and process."""
    if name == "command":
        words = [command, "--json", "-F", "none", "-o", "BatchMode=yes", "-o", "IdentityAgent=none"]
        words += ["-o", f"UserKnownHostsFile={server.known_hosts}", "-i", server.key]
        words += ["-L", f"0:127.0.0.1:{target_port}", server.address]
    else:
        words = [sys.executable, HERE / "clients.py", name, str(server.port), server.key, server.known_hosts]
        words += [servers.USER, str(target_port)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        port = None
        while port is None:
            line = process.stdout.readline()
            assert line, f"{name} has ended"
            found = re.search(r'"listening".*"port":(\d+)|^(\d+)$', line)
            port = int(found[1] or found[2]) if found else None
        yield port, process.pid
    finally:
        process.terminate()
        process.communicate(timeout=30)


def main() -> None:
    parser = argparse.ArgumentParser(description="Compares Underpass for Python with what one would use instead.")
    parser.add_argument("command", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    figures: dict[str, dict[str, list[float]]] = {name: {title: [] for title, *_ in METRICS} for name in CLIENTS}
    with tempfile.TemporaryDirectory() as directory, servers.sshd(Path(directory)) as server:
        with target_process() as target_port:
            for run in range(1 if options.quick else options.runs):
                for name in CLIENTS:
                    for title, measure, size, quick in METRICS:
                        # Each figure comes from a fresh process.
                        with client(name, options.command, server, target_port) as (port, pid):
                            connections(port, pid, 5)
                            value = measure(port, pid, quick if options.quick else size)
                        figures[name][title].append(value)
                        print(f"run {run + 1}, {name}: {title} {value:.0f}", file=sys.stderr, flush=True)
    text = report(figures, 1 if options.quick else options.runs)
    print(text)
    if options.output:
        options.output.write_text(text)


def report(figures: dict[str, dict[str, list[float]]], runs: int) -> str:
    titles = [title for title, *_ in METRICS]
    lines = [
        "# Underpass for Python beside others",
        "",
        "Made by `cargo xtask bench python`; the method is in [README.md](README.md#python).",
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} processors, "
        f"congestion control {congestion_control()}, medians of {runs}.",
        "",
        f"| client | {' | '.join(titles)} |",
        f"|---|{'---|' * len(titles)}",
    ]
    medians = {name: [statistics.median(values[title]) for title in titles] for name, values in figures.items()}
    lines += [f"| {CLIENTS[name]} | {' | '.join(f'{value:.0f}' for value in row)} |" for name, row in medians.items()]
    lines += ["", "| `underpass.open_tunnel` to | " + " | ".join(titles) + " |", f"|---|{'---|' * len(titles)}"]
    ours = medians["underpass"]
    for name in ("command", "asyncssh", "sshtunnel"):
        ratios = (mine / theirs if theirs else float("nan") for mine, theirs in zip(ours, medians[name]))
        lines.append(f"| {CLIENTS[name]} | {' | '.join(f'{ratio:.2f}' for ratio in ratios)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["target"]:
        with servers.target(target, unpace) as port:
            print(port, flush=True)
            sys.stdin.read()
    else:
        main()
