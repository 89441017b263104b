"""What people use tunnels for: PostgreSQL with both drivers, and HTTP through a dynamic forward."""

from __future__ import annotations

import asyncio
import http.server
import os
import pwd
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import frames
import postgres
import postgres_async
import psycopg
import pytest
import servers
import web

import underpass
from servers import Server

DATABASE_PASSWORD = "elephant-77"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A PostgreSQL of its own, on a free port."""
    directory = tmp_path_factory.mktemp("postgres")
    programs = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)))
    # It refuses to run as root.
    owner = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    shutil.chown(directory, owner)
    for parent in list(directory.parents)[:2]:
        parent.chmod(0o755)
    password = directory / "password"
    password.write_text(DATABASE_PASSWORD)
    shutil.chown(password, owner)
    data = directory / "data"
    words: list[servers.StrPath] = ["-D", data, "-U", "app", "-A", "scram-sha-256", f"--pwfile={password}", "-N", "-E", "UTF8", "--locale=C"]
    subprocess.run([programs / "initdb", *words], user=owner, cwd=directory, check=True, capture_output=True)

    def start(port: int, log: Path) -> subprocess.Popen[bytes]:
        words: list[servers.StrPath] = ["-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", "", "-F"]
        with log.open("wb") as output:
            return subprocess.Popen([programs / "postgres", *words], user=owner, cwd=directory, stderr=output)

    with servers.on_free_port(directory / "log", start, "ready to accept connections") as (port, _):
        yield port


def test_psycopg_sqlalchemy_and_pandas(server: Server, database: int) -> None:
    where: Any = {
        "bastion": server.address,
        "database": ("127.0.0.1", database),
        "user": "app",
        "password": DATABASE_PASSWORD,
        **server.login(),
    }
    assert postgres.version(**where).startswith("PostgreSQL")
    with underpass.open_tunnel(server.address, local=("127.0.0.1", database), **server.login()) as tunnel:
        place = f"host=127.0.0.1 port={tunnel.local_port} user=app password={DATABASE_PASSWORD} dbname=postgres"
        with psycopg.connect(place) as connection:
            connection.execute("create table things (number int, text text)")
            rows = [(number, "x" * number) for number in range(1000)]
            connection.cursor().executemany("insert into things values (%s, %s)", rows)
            assert connection.execute("select * from things order by number").fetchall() == rows
    assert postgres.tables(**where) == ["things"]
    frame = frames.frame(query="select * from things order by number", **where)
    assert list(frame["number"]) == list(range(1000))


def test_asyncpg(server: Server, database: int) -> None:
    found = postgres_async.squares(
        server.address, ("127.0.0.1", database), "app", DATABASE_PASSWORD, **server.login()
    )
    assert asyncio.run(found) == [number * number for number in range(20)]


def test_the_web_through_a_dynamic_forward_and_a_socket(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "")
    (tmp_path / "index.html").write_bytes(os.urandom(100_000))

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, request: Any, address: Any, server: Any) -> None:
            super().__init__(request, address, server, directory=str(tmp_path))

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server_of_pages:
        threading.Thread(target=server_of_pages.serve_forever, daemon=True).start()
        port = server_of_pages.server_port
        page = web.page(server.address, f"http://localhost:{port}/", **server.login())
        assert page == (tmp_path / "index.html").read_bytes()
        assert web.status(server.address, "localhost", port, **server.login()) == 200
        server_of_pages.shutdown()
