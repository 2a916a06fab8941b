#!/usr/bin/env bash
# Runs a command with a PostgreSQL server of its own: a fresh cluster in a temporary folder, reached by a Unix socket
# only, gone when the command ends. The connection string is in HILUM_TEST_POSTGRES (libpq keywords).
# HILUM_POSTGRES_OPTIONS holds more options for the server, such as "-c fsync=off".
#
#   docker/with-postgres.sh swift test -c release --skip-build
set -euo pipefail
[ $# -gt 0 ] || { printf 'usage: %s COMMAND...\n' "$0" >&2; exit 2; }

bin=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] && [ -x "$bin/initdb" ] || {
    printf 'with-postgres: no PostgreSQL server found: run docker/setup.sh test\n' >&2
    exit 1
}

# initdb refuses to run as root, so root hands the cluster to the package's own user.
base=$(mktemp -d "${TMPDIR:-/tmp}/hilum-pg.XXXXXX")
chmod 0755 "$base"
mkdir "$base/data" "$base/socket"
owner() { "$@"; }
if [ "$(id -u)" = 0 ]; then
    chown postgres "$base/data" "$base/socket"
    owner() { (cd / && setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"); }
fi
stop() {
    owner "$bin/pg_ctl" -D "$base/data" -m immediate -w stop >/dev/null 2>&1 || true
    rm -rf "$base"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

owner "$bin/initdb" -D "$base/data" -U hilum -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$base/initdb.log" 2>&1 || {
    cat "$base/initdb.log" >&2
    exit 1
}
owner "$bin/pg_ctl" -D "$base/data" -w -t 60 -l "$base/data/server.log" -s \
    -o "-c listen_addresses='' -c unix_socket_directories='$base/socket' -c max_connections=1000 ${HILUM_POSTGRES_OPTIONS:-}" start </dev/null || {
    cat "$base/data/server.log" >&2
    exit 1
}
owner "$bin/createdb" -h "$base/socket" -U hilum hilum

export HILUM_TEST_POSTGRES="host=$base/socket user=hilum dbname=hilum"
status=0
"$@" || status=$?
exit "$status"
