"""A table behind a bastion as a data frame of pandas."""

from __future__ import annotations

from typing import Any

import pandas
import sqlalchemy

import underpass


def frame(bastion: str, database: tuple[str, int], user: str, password: str, query: str, **login: Any) -> pandas.DataFrame:
    """What a query finds."""
    with underpass.open_tunnel(bastion, local=database, **login) as tunnel:
        host, port = tunnel.local_address
        engine = sqlalchemy.create_engine(
            sqlalchemy.URL.create("postgresql+psycopg", user, password, host, port, "postgres")
        )
        try:
            return pandas.read_sql(sqlalchemy.text(query), engine)
        finally:
            engine.dispose()
