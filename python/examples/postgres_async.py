"""PostgreSQL behind a bastion, with asyncpg."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg

import underpass


async def squares(bastion: str, database: tuple[str, int], user: str, password: str, **login: Any) -> list[int]:
    """Lets the database work, on several connections of one tunnel."""
    async with underpass.open_tunnel(bastion, local=database, **login) as tunnel:
        host, port = tunnel.local_address
        pool = asyncpg.create_pool(host=host, port=port, user=user, password=password, database="postgres", min_size=1)
        async with pool:
            asked = (pool.fetchval("select $1::int * $1::int", number) for number in range(20))
            return list(await asyncio.gather(*asked))
