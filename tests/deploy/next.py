#!/usr/bin/env python3
"""The program of a later release, for release.sh: its schema is two migrations ahead of the program that it stands upon.

SETTINGS_OF_NEXT is replaced by: the real program, this release's version, the migration that fails (or 0), whether it is sick,
and the file in which every call is noted.
"""

import os
import sqlite3
import subprocess
import sys

PROGRAM, VERSION, FAILS, SICK, CALLS = SETTINGS_OF_NEXT  # noqa: F821
AHEAD = [9001, 9002]
arguments = sys.argv[1:]


def note():
    with open(CALLS, "a") as calls:
        calls.write(f"{VERSION} {' '.join(arguments)}\n")


def database():
    connection = sqlite3.connect(os.path.join(os.environ["DATA_DIR"], "mindflow.db"), timeout=10, isolation_level=None)
    has = connection.execute("SELECT 1 FROM sqlite_master WHERE name = '_sqlx_migrations'").fetchone()
    return connection, [row[0] for row in connection.execute("SELECT version FROM _sqlx_migrations ORDER BY 1")] if has else []


def up():
    connection, applied = database()
    if not set(AHEAD) & set(applied):
        subprocess.run([PROGRAM, "migrate", "up"], check=True)
    for version in AHEAD:
        if version in applied:
            continue
        if version == FAILS:
            print("the migration failed and was rolled back", file=sys.stderr)
            sys.exit(1)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(f"CREATE TABLE ahead_{version} (id INTEGER PRIMARY KEY)")
        connection.execute("INSERT INTO _sqlx_migrations VALUES (?, 'ahead', CURRENT_TIMESTAMP, 1, x'00', 1)", (version,))
        connection.execute("COMMIT")


def down(to):
    connection, applied = database()
    for version in reversed(AHEAD):
        if version in applied and version > to:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(f"DROP TABLE ahead_{version}")
            connection.execute("DELETE FROM _sqlx_migrations WHERE version = ?", (version,))
            connection.execute("COMMIT")


note()
if arguments == ["--version"]:
    print(f"mindflow {VERSION}")
elif arguments == ["migrate", "up"]:
    up()
elif arguments[:3] == ["migrate", "down", "--to"]:
    down(int(arguments[3]))
elif arguments == ["migrate", "status"]:
    for version in database()[1]:
        print(f"{version:04}  applied  some")
elif arguments[0] == "serve" and SICK:
    print("this release does not start", file=sys.stderr)
    sys.exit(2)
else:
    os.execv(PROGRAM, [PROGRAM, *arguments])
