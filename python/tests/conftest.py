from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "examples")]

import servers  # noqa: E402


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--tunnels", type=int, default=1000, help="how many are opened one after the other")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    """OpenSSH."""
    with servers.sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture(scope="session")
def other_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    """asyncssh."""
    with servers.asyncssh_server(tmp_path_factory.mktemp("asyncssh")) as server:
        yield server


@pytest.fixture(scope="session")
def echo_port() -> Iterator[int]:
    with servers.target(servers.echo) as port:
        yield port
