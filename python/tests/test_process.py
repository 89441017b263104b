"""A tunnel and its process: signals, forks, the end, and what is left behind."""

from __future__ import annotations

import concurrent.futures
import json
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import servers

import underpass
from servers import Server

PRELUDE = """
import json, os, signal, socket, sys, threading, time
import underpass
address, login = json.loads(sys.argv[1])
def tunnel(**more): return underpass.open_tunnel(address, **login, **more)
"""


# From Python 3.12 on it warns of forks of any process with threads.
FLAGS = ("-X", "faulthandler", "-W", "ignore::DeprecationWarning")


def run(server: Server, program: str, interrupt_at: str = "") -> tuple[int, str, float]:
    """Runs a program; gives its exit code, what it printed, and how long it ran on after it was interrupted."""
    login = {**server.login(), "key": str(server.key), "known_hosts": str(server.known_hosts)}
    command = [sys.executable, *FLAGS, "-c", PRELUDE + textwrap.dedent(program), json.dumps([server.address, login])]
    # Not here, where the sources of the package are, without its native half.
    place = server.key.parent
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=place)
    assert process.stdout is not None
    said = ""
    if interrupt_at:
        while interrupt_at not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
    start = time.monotonic()
    rest, _ = process.communicate(timeout=60)
    return process.returncode, said + rest, time.monotonic() - start


def test_ctrl_c_interrupts_a_wait_at_once(server: Server) -> None:
    for wait in ("t.wait_closed()", "t.wait_closed(3600)", "silent.open()"):
        code, said, took = run(
            server,
            f"""
            listener = socket.create_server(("127.0.0.1", 0))
            silent = underpass.open_tunnel(f"me@127.0.0.1:{{listener.getsockname()[1]}}", config=False)
            with tunnel() as t:
                print("waiting", flush=True)
                try:
                    {wait}
                except KeyboardInterrupt:
                    print("interrupted", t.state)
            print(t.state)
            """,
            interrupt_at="waiting",
        )
        assert (code, said.split()) == (0, ["waiting", "interrupted", "open", "closed"]), (wait, said)
        assert took < 5


def test_ctrl_c_ends_a_program_in_an_event_loop(server: Server) -> None:
    code, said, took = run(
        server,
        """
        import asyncio
        async def main():
            async with tunnel() as t:
                print("waiting", flush=True)
                try:
                    await t.wait_closed()
                finally:
                    print(t.state)
        try:
            asyncio.run(main())
        except KeyboardInterrupt:
            print("interrupted")
        """,
        interrupt_at="waiting",
    )
    assert (code, said.split()) == (0, ["waiting", "open", "interrupted"]), said
    assert took < 5


def test_exit_with_a_live_tunnel_is_clean(server: Server, echo_port: int) -> None:
    for ending in ("", "sys.exit(3)", "raise RuntimeError('by the program')", "del t", "threading.Thread(target=t.wait_closed, daemon=True).start()"):
        code, said, took = run(
            server,
            f"""
            t = tunnel(local=("127.0.0.1", {echo_port}), on_event=lambda event: None).open()
            connection = socket.create_connection(t.local_address)
            inside = t.connect("127.0.0.1", {echo_port})
            print("open", flush=True)
            {ending}
            """,
        )
        expected = 3 if "exit" in ending else 1 if "raise" in ending else 0
        assert code == expected, (ending, said)
        assert took < 10
        if not ending:
            assert said == "open\n"


def test_exit_while_a_handler_is_stuck(server: Server) -> None:
    code, said, took = run(
        server,
        """
        stuck = threading.Event()
        def handle(event):
            stuck.set()
            time.sleep(3600)
        t = tunnel(on_event=handle).open()
        stuck.wait()
        print("stuck")
        """,
    )
    assert (code, said) == (0, "stuck\n")
    assert took < 15


def test_a_fork_leaves_the_parents_tunnel_alone(server: Server, echo_port: int) -> None:
    code, said, _ = run(
        server,
        f"""
        def talk(t):
            with t.connect("127.0.0.1", {echo_port}) as connection:
                connection.sendall(b"hi")
                return connection.recv(2)
        t = tunnel(local=("127.0.0.1", {echo_port})).open()
        connection = socket.create_connection(t.local_address)
        child = os.fork()
        if child == 0:
            try:
                t.connect("127.0.0.1", {echo_port})
            except underpass.TunnelClosed as error:
                print("in the child:", t.state, "/", "each process" in str(error), "/", t, flush=True)
            t.close()
            with tunnel() as own:
                print("a tunnel of its own:", talk(own), own.state, flush=True)
            grandchild = os.fork()
            if grandchild == 0:
                with tunnel() as own:
                    print("of the grandchild:", talk(own), flush=True)
                sys.exit(0)
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1]))
        print("child:", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        connection.sendall(b"there"); print("in the parent:", connection.recv(5), talk(t), t.state)
        t.close()
        """,
    )
    assert said.splitlines() == [
        "in the child: closed / True / <Tunnel closed>",
        "a tunnel of its own: b'hi' open",
        "of the grandchild: b'hi'",
        "child: 0",
        "in the parent: b'there' b'hi' open",
    ], said
    assert code == 0


def test_multiprocessing_by_fork(server: Server, echo_port: int) -> None:
    code, said, _ = run(
        server,
        f"""
        import multiprocessing
        def work(number):
            with tunnel(local=("127.0.0.1", {echo_port})) as own, socket.create_connection(own.local_address) as connection:
                connection.sendall(b"%d" % number)
                return connection.recv(1)
        with tunnel() as t:
            with multiprocessing.get_context("fork").Pool(3) as pool:
                print(pool.map(work, range(6)))
            print(t.state)
        """,
    )
    assert (code, said) == (0, f"{[b'%d' % number for number in range(6)]}\nopen\n"), said


def test_a_thousand_tunnels_leave_nothing_behind(server: Server, pytestconfig: pytest.Config) -> None:
    def use() -> None:
        with underpass.open_tunnel(server.address, local=("127.0.0.1", 9), on_event=lambda event: None, **server.login()) as tunnel:
            assert tunnel.local_port

    def rounds(count: int) -> tuple[int, int, int]:
        def some(_: int) -> None:
            for _ in range(count // 4):
                use()

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(some, range(4)))
        descriptors = len(os.listdir("/proc/self/fd"))
        status = Path("/proc/self/status").read_text()
        threads, memory = (int(re.findall(rf"{name}:\s+(\d+)", status)[0]) for name in ("Threads", "VmRSS"))
        return descriptors, threads, memory

    # The blocking threads of the runtime come and go.
    warm = rounds(200)
    after = rounds(pytestconfig.getoption("tunnels") - 200)
    print(f"descriptors, threads, KiB: {warm} after 200 tunnels, {after} in the end")
    assert after[0] <= warm[0] + 2, (warm, after)
    assert after[1] <= warm[1] + 4, (warm, after)
    assert after[2] <= warm[2] + 4_000, (warm, after)


def test_a_tunnel_that_is_dropped_is_cut(server: Server) -> None:
    tunnel = underpass.open_tunnel(server.address, local=("127.0.0.1", 9), **server.login()).open()
    port = tunnel.local_port
    del tunnel

    def refused() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionError:
            return True
        return False

    assert servers.until(refused)
