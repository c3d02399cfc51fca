"""Logs in with one driver of Python and asks one thing; prints what came, or the SQLSTATE.

log_in.py DRIVER HOST PORT USER PASSWORD DATABASE SQL
"""

import asyncio
import sys

driver, host, port, user, password, database, sql = sys.argv[1:]


def with_psycopg():
    import psycopg

    place = {"host": host, "port": port, "user": user, "dbname": database, "sslmode": "disable"}
    try:
        with psycopg.connect(password=password, **place) as connection:
            return connection.execute(sql).fetchone()[0]
    except psycopg.OperationalError as error:
        return error.sqlstate or str(error)


def with_psycopg2():
    import psycopg2

    place = {"host": host, "port": port, "user": user, "dbname": database, "sslmode": "disable"}
    try:
        connection = psycopg2.connect(password=password, **place)
    except psycopg2.OperationalError as error:
        # Before it is connected, libpq keeps the SQLSTATE to itself.
        return str(error)
    cursor = connection.cursor()
    cursor.execute(sql)
    return cursor.fetchone()[0]


def with_asyncpg():
    import asyncpg

    async def ask():
        place = {"host": host, "port": int(port), "user": user, "database": database}
        connection = await asyncpg.connect(password=password, ssl=False, **place)
        try:
            # Rows come by the extended protocol only: of this one there is the command tag.
            return await connection.execute(sql)
        finally:
            await connection.close()

    try:
        return asyncio.run(ask())
    except asyncpg.PostgresError as error:
        return error.sqlstate


def with_pg8000():
    import pg8000.dbapi

    place = {"host": host, "port": int(port), "user": user, "database": database}
    try:
        connection = pg8000.dbapi.connect(password=password, **place)
    except pg8000.dbapi.DatabaseError as error:
        return error.args[0]["C"]
    cursor = connection.cursor()
    cursor.execute(sql)
    return cursor.fetchone()[0]


DRIVERS = {
    "psycopg": with_psycopg,
    "psycopg2": with_psycopg2,
    "asyncpg": with_asyncpg,
    "pg8000": with_pg8000,
}

print(DRIVERS[driver]())
