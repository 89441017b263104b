"""An SSH client for tests: connects, verifies the server's X.509 certificate, logs in with a key, and sends words through a
tunnel to an echo server.

Arguments: host, port, user, private key, a file of trusted X.509 certificates, the algorithm of the host key, the port of
the echo server on 127.0.0.1. Ends with 0 if the words came back.
"""

import asyncio
import sys

import asyncssh

import asyncssh_x509

WORDS = b"and back again"


async def main(host, port, user, key, roots, algorithm, echo):
    """Fails with an exception."""
    async with asyncssh.connect(
        host,
        int(port),
        username=user,
        client_keys=[key],
        known_hosts=b"",
        x509_trusted_certs=roots,
        server_host_key_algs=[algorithm],
        config=None,
    ) as connection:
        reader, writer = await connection.open_connection("127.0.0.1", int(echo))
        writer.write(WORDS)
        assert await reader.readexactly(len(WORDS)) == WORDS


asyncssh_x509.register()
asyncio.run(main(*sys.argv[1:]))
