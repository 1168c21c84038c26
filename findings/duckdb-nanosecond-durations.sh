#!/usr/bin/env bash
# DuckDB reads Parquet's nanosecond UTC timestamps exactly, but cannot subtract two of them, and rounds them in casts.
#
# Expected: a Parquet column TIMESTAMP(NANOS, isAdjustedToUTC) becomes TIMESTAMPTZ_NS, and DuckDB's documentation of
#   timestamp functions gives an INTERVAL for the difference of two timestamps. Losing the last three digits, by a cast
#   or by fetching into Python, should lose them in one way.
# Seen (duckdb 2.0.1, pyarrow 26.0.1): "end" - start and age() are binder errors for TIMESTAMPTZ_NS, epoch_us() too,
#   while +, comparison, epoch_ns() and date_diff() work. Fetched into Python, ….123456789 is ….123456 (cut); cast to
#   TIMESTAMPTZ it is ….123457 (rounded up), so a join on the cast column misses the fetched value, and a packet may lie
#   after its flow's end. Cast to TIMESTAMP_NS the difference works, and answers 1 us for 1,500 ns.
# For a flow monitor: give queries as epoch_ns("end") - epoch_ns(start), or write the duration as a column of its own.
# Needs: python3 with venv and pip. Takes half a minute.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install duckdb==2.0.1 pyarrow==26.0.1
echo "duckdb 2.0.1, pyarrow 26.0.1"
cat > query.py <<'P'
import sys
import duckdb, pyarrow, pyarrow.parquet
second = 1767225600
start, end = second * 10**9 + 123456789, second * 10**9 + 123458289  # 1,500 ns later
ns = pyarrow.timestamp("ns", "UTC")
pyarrow.parquet.write_table(pyarrow.table({"start": pyarrow.array([start], ns), "end": pyarrow.array([end], ns)}), "flows.parquet")
duckdb.sql("SET threads = 1")
def ask(expression):
    try: return duckdb.sql(f"SELECT {expression} FROM 'flows.parquet'").fetchall()[0][0]
    except duckdb.BinderException: return "binder error"
recorded = {
    'typeof(start)': "TIMESTAMPTZ_NS",
    'epoch_ns(start)': start,
    'start::VARCHAR': "2026-01-01 00:00:00.123456789+00",
    '"end" - start': "binder error",
    'age("end", start)': "binder error",
    'epoch_us(start)': "binder error",
    'epoch_ns("end") - epoch_ns(start)': 1500,
    "date_diff('microsecond', start, \"end\")": 2,
    '("end"::TIMESTAMP_NS - start::TIMESTAMP_NS)::VARCHAR': "00:00:00.000001",
    'epoch_ns(start::TIMESTAMPTZ) - epoch_ns(start)': 211,
}
duckdb.sql("SET TimeZone = 'UTC'")
same = True
for expression, value in recorded.items():
    seen = ask(expression)
    print("  %-55s %s" % (expression, seen))
    same &= seen == value
fetched = ask("start").microsecond
print("  %-55s %s" % ("microseconds of start, fetched into Python", fetched))
if not same or fetched != 123456: sys.exit(f"CHANGED: recorded {list(recorded.values())} and 123456")
print("as recorded")
P
venv/bin/python query.py
