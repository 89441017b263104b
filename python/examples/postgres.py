"""PostgreSQL behind a bastion, with psycopg and with SQLAlchemy."""

from __future__ import annotations

from typing import Any

import psycopg
import sqlalchemy

import underpass


def version(bastion: str, database: tuple[str, int], user: str, password: str, **login: Any) -> str:
    """What the database says it is."""
    with underpass.open_tunnel(bastion, local=database, **login) as tunnel:
        host, port = tunnel.local_address
        with psycopg.connect(host=host, port=port, user=user, password=password, dbname="postgres") as connection:
            row = connection.execute("select version()").fetchone()
            assert row is not None
            return str(row[0])


def tables(bastion: str, database: tuple[str, int], user: str, password: str, **login: Any) -> list[str]:
    """The names of its tables, through a pool of connections."""
    with underpass.open_tunnel(bastion, local=database, **login) as tunnel:
        host, port = tunnel.local_address
        url = sqlalchemy.URL.create("postgresql+psycopg", user, password, host, port, "postgres")
        engine = sqlalchemy.create_engine(url, pool_pre_ping=True)
        try:
            return sorted(sqlalchemy.inspect(engine).get_table_names())
        finally:
            engine.dispose()
