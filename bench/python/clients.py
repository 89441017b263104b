"""The clients: each opens a tunnel to a target, prints its port, and keeps it open until standard input ends.

Arguments: the client's name, the server's port, the key, the known_hosts file, the user, the target's port.
"""

from __future__ import annotations

import asyncio
import sys


def underpass(server: int, key: str, known_hosts: str, user: str, target: int) -> None:
    import underpass

    opener = underpass.open_tunnel(
        f"{user}@127.0.0.1:{server}",
        local=("127.0.0.1", target),
        key=key,
        known_hosts=known_hosts,
        config=False,
        options={"IdentityAgent": "none", "--max-connections": 10_000},
    )
    with opener as tunnel:
        serve(tunnel.local_port)


def bridge(server: int, key: str, known_hosts: str, user: str, target: int) -> None:
    from underpass.compat import SSHTunnelForwarder

    with SSHTunnelForwarder(
        ("127.0.0.1", server),
        ssh_username=user,
        ssh_pkey=key,
        ssh_config_file=None,
        allow_agent=False,
        known_hosts=known_hosts,
        remote_bind_address=("127.0.0.1", target),
    ) as tunnel:
        serve(tunnel.local_bind_port)


def sshtunnel(server: int, key: str, known_hosts: str, user: str, target: int) -> None:
    from sshtunnel import SSHTunnelForwarder

    with SSHTunnelForwarder(
        ("127.0.0.1", server),
        ssh_username=user,
        ssh_pkey=key,
        ssh_config_file=None,
        allow_agent=False,
        host_pkey_directories=[],
        remote_bind_address=("127.0.0.1", target),
    ) as tunnel:
        serve(tunnel.local_bind_port)


def asyncssh(server: int, key: str, known_hosts: str, user: str, target: int) -> None:
    import asyncssh

    async def main() -> None:
        async with asyncssh.connect(
            "127.0.0.1", server, username=user, client_keys=[key], known_hosts=known_hosts, config=None, agent_path=None
        ) as connection:
            listener = await connection.forward_local_port("127.0.0.1", 0, "127.0.0.1", target)
            print(listener.get_port(), flush=True)
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

    asyncio.run(main())


def serve(port: int) -> None:
    print(port, flush=True)
    sys.stdin.read()


CLIENTS = {"underpass": underpass, "bridge": bridge, "sshtunnel": sshtunnel, "asyncssh": asyncssh}

if __name__ == "__main__":
    name, server, key, known_hosts, user, target = sys.argv[1:]
    CLIENTS[name](int(server), key, known_hosts, user, int(target))
