# Rows as JSON Lines through the official connector: `dump.py ADDRESS DATABASE SCHEMA TABLE|QUERY...`, one
# empty line between tables. Decimals and times are texts with their exact digits, VARIANTs the JSON that
# they hold; facts name exchange and symbol as the log does. A table that is not there has no rows.
import datetime
import decimal
import json
import sys
import urllib.parse

import snowflake.connector

NAMED = {
    "FACT_OHLCV": 'SELECT E."NAME" AS EXCHANGE, C."SYMBOL", F.* EXCLUDE (EXCHANGE_ID, CRYPTO_ID) FROM FACT_OHLCV F'
    ' JOIN DIM_EXCHANGE E ON E."EXCHANGE_ID" = F."EXCHANGE_ID"'
    ' JOIN DIM_CRYPTOCURRENCY C ON C."CRYPTO_ID" = F."CRYPTO_ID"',
}


def connect(address, database, schema):
    url = urllib.parse.urlparse(address)
    return snowflake.connector.connect(
        user="reader", password="reader", account="judge", host=url.hostname, port=url.port,
        protocol=url.scheme, database=database, schema=schema,
        session_parameters={"CLIENT_OUT_OF_BAND_TELEMETRY_ENABLED": False})


def shown(value):
    if isinstance(value, decimal.Decimal):
        digits = format(value, "f")
        return digits.rstrip("0").rstrip(".") if "." in digits else digits
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    return value


VARIANT = 5  # the connector's number of the type


def rows(connection, wanted):
    query = NAMED.get(wanted, wanted if " " in wanted else f"SELECT * FROM {wanted}")
    cursor = connection.cursor()
    # fakesnow sends a null time as the year 1970: which are null is asked for besides.
    columns = [c.name for c in cursor.describe(query)]
    tests = ", ".join(f'(Q."{name}") IS NULL' for name in columns)
    cursor.execute(f"SELECT Q.*, {tests} FROM ({query}) Q")
    kinds = [c.type_code for c in cursor.description]
    for row in cursor:
        out = {}
        for i, name in enumerate(columns):
            value = None if row[len(columns) + i] else row[i]
            out[name] = json.loads(value) if kinds[i] == VARIANT and isinstance(value, str) else shown(value)
        yield out


def main():
    address, database, schema, *wanted = sys.argv[1:]
    connection = connect(address, database, schema)
    for i, table in enumerate(wanted):
        if i:
            print()
        try:
            for row in rows(connection, table):
                print(json.dumps(row))
        except snowflake.connector.errors.ProgrammingError as error:
            if error.errno not in (2003, 2043):
                raise
    connection.close()


if __name__ == "__main__":
    main()
