"""The face for event loops."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import threading
from pathlib import Path

import pytest
import servers

import underpass
from servers import Server


def test_a_tunnel_in_an_event_loop(server: Server, echo_port: int) -> None:
    events: list[tuple[str, int]] = []

    async def main() -> None:
        opener = underpass.open_tunnel(
            server.address,
            local=("127.0.0.1", echo_port),
            on_event=lambda event: events.append((event.name, threading.get_ident())),
            **server.login(),
        )
        async with opener as tunnel:
            assert isinstance(tunnel, underpass.AsyncTunnel)
            await tunnel.wait_ready()
            reader, writer = await asyncio.open_connection(*tunnel.local_address)
            assert await round_trip(reader, writer, b"by a port") == b"by a port"
            reader, writer = await tunnel.open_connection("127.0.0.1", echo_port)
            assert await round_trip(reader, writer, b"x" * 3_000_000) == b"x" * 3_000_000
            forward = await tunnel.add_forward(dynamic=0)
            assert await tunnel.remove_forward(forward)
        assert tunnel.state == "closed"
        await asyncio.sleep(0.1)

    asyncio.run(main())
    assert {"listening", "connection-opened", "stopping", "closed"} <= {name for name, _ in events}
    assert {thread for _, thread in events} == {threading.get_ident()}


async def round_trip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, text: bytes) -> bytes:
    async def send() -> None:
        writer.write(text)
        await writer.drain()
        writer.write_eof()

    sending = asyncio.create_task(send())
    answer = await reader.read()
    await sending
    writer.close()
    await writer.wait_closed()
    return answer


def test_many_connections_at_once(server: Server, echo_port: int) -> None:
    async def main() -> None:
        tunnel = await underpass.open_tunnel(server.address, **server.login())
        async def one(number: int) -> None:
            reader, writer = await tunnel.open_connection("127.0.0.1", echo_port)
            text = str(number).encode()
            assert await round_trip(reader, writer, text) == text

        await asyncio.gather(*map(one, range(200)))
        assert tunnel.stats().total == 200
        await tunnel.close()

    asyncio.run(main())


def test_failures_are_raised_where_they_are_awaited(server: Server) -> None:
    async def main() -> None:
        async with underpass.open_tunnel(server.address, **server.login()) as tunnel:
            with pytest.raises(underpass.TargetUnreachable):
                await tunnel.open_connection("127.0.0.1", servers.free_port())
        with pytest.raises(underpass.TunnelClosed):
            await tunnel.connect("127.0.0.1", 1)

    asyncio.run(main())


def test_a_task_that_is_cancelled_gives_up(server: Server) -> None:
    async def main() -> None:
        clients: list[asyncio.StreamWriter] = []
        silent = await asyncio.start_server(lambda _, writer: clients.append(writer), "127.0.0.1", 0)
        port = silent.sockets[0].getsockname()[1]
        opening = asyncio.ensure_future(underpass.open_tunnel(f"me@127.0.0.1:{port}", config=False).open_async())
        await asyncio.sleep(0.1)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        with pytest.raises(underpass.TunnelTimeout):
            await underpass.open_tunnel(f"me@127.0.0.1:{port}", config=False, timeout=0.1)
        silent.close()
        for client in clients:
            client.close()
            await client.wait_closed()

    asyncio.run(main())


def test_tls_through_a_socket_of_the_tunnel(server: Server, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words: list[servers.StrPath] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", certificate]
    words += ["-subj", "/CN=inside", "-addext", "subjectAltName=DNS:inside", "-days", "2"]
    subprocess.run(["openssl", "req", "-x509", *words], check=True, capture_output=True)
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.load_cert_chain(certificate, key)
    ours = ssl.create_default_context(cafile=str(certificate))

    def serve(connection: object) -> None:
        with theirs.wrap_socket(connection, server_side=True) as secured:  # type: ignore[arg-type]
            servers.echo(secured)

    with servers.target(serve) as port, underpass.open_tunnel(server.address, **server.login()) as tunnel:
        with ours.wrap_socket(tunnel.connect("127.0.0.1", port), server_hostname="inside") as secured:
            secured.sendall(b"sealed twice")
            assert secured.recv(100) == b"sealed twice"

        async def main() -> None:
            async with underpass.open_tunnel(server.address, **server.login()) as tunnel:
                connected = await tunnel.connect("127.0.0.1", port)
                reader, writer = await asyncio.open_connection(sock=connected, ssl=ours, server_hostname="inside")
                writer.write(b"asynchronously")
                assert await reader.readexactly(14) == b"asynchronously"
                writer.close()
                await writer.wait_closed()

        asyncio.run(main())
