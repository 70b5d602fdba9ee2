"""A quick query gives what SQLAlchemy gives, in both databases."""

from datetime import UTC, datetime

import sqlalchemy as sa

from haulier.engine.quick import Quick
from haulier.engine.tables import catalog

MOMENT = datetime(2026, 2, 18, 10, 38, 59, 31762, UTC)
QUERY = (
    sa.select(catalog)
    .where(catalog.c.organisation == sa.bindparam("org"), catalog.c.name == sa.bindparam("name"))
    .order_by(catalog.c.number)
)


def put(connection: sa.Connection, name: str) -> None:
    connection.execute(
        sa.insert(catalog).values(
            id=f"id-{name}",
            organisation="acme",
            type="thing",
            name=name,
            version=1,
            body={"name": name, "list": [1, None, "ä"]},
            created_at=MOMENT,
            updated_at=MOMENT,
        )
    )


def test_rows_are_those_of_sqlalchemy(database: sa.Engine) -> None:
    with database.begin() as connection:
        put(connection, "one")
        put(connection, "two")

    with database.connect() as connection:
        found = Quick(QUERY).one(connection, org="acme", name="two")
        wanted = connection.execute(QUERY, {"org": "acme", "name": "two"}).one()

    assert tuple(found) == tuple(wanted)
    assert (found.body["list"], found.created_at) == ([1, None, "ä"], MOMENT)


def test_what_is_not_there_is_none(database: sa.Engine) -> None:
    with database.connect() as connection:
        assert Quick(QUERY).one(connection, org="acme", name="none") is None
        assert Quick(QUERY).rows(connection, org="acme", name="none") == []


def test_a_quick_query_sees_what_its_own_transaction_wrote(database: sa.Engine) -> None:
    with database.connect() as connection:
        put(connection, "mine")
        assert Quick(QUERY).one(connection, org="acme", name="mine") is not None
        connection.rollback()

    with database.connect() as connection:
        assert Quick(QUERY).one(connection, org="acme", name="mine") is None
