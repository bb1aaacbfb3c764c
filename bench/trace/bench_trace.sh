#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bench_trace.sh PROGRAM PLUGIN_DIR RECORDINGS: the tracker and the events of tracing over bytes in memory, then
# sysbench against a private MariaDB, without and with a trace plugin that does nothing.
set -eu
program=$1 plugins=$2 recordings=$3
# Compressed recordings would measure zlib.
files=$(find "$recordings" -name 'wire.jsonl' ! -path '*/compressed*' 2>/dev/null | sort || true)
# shellcheck disable=SC2086
"$program" $files

for needed in sysbench mariadbd mariadb-install-db mariadb-admin; do
    command -v "$needed" >/dev/null || { echo "no $needed: the part with sysbench is left out"; exit 0; }
done
work=$(mktemp -d)
server=
finish() {
    [ -z "$server" ] || { kill "$server" && wait "$server" || true; }
    rm -rf "$work"
}
trap finish EXIT
mariadb-install-db --no-defaults --datadir="$work/data" --user="$(id -un)" \
    --auth-root-authentication-method=normal >"$work/install" 2>&1
mariadbd --no-defaults --datadir="$work/data" --socket="$work/s" --skip-networking --user="$(id -un)" \
    --pid-file="$work/pid" >"$work/log" 2>&1 &
server=$!
until mariadb-admin --no-defaults -S "$work/s" -u root ping >/dev/null 2>&1; do
    kill -0 "$server" || { cat "$work/log"; exit 1; }
done
mariadb-admin --no-defaults -S "$work/s" -u root create sb
options="--mysql-socket=$work/s --mysql-user=root --mysql-db=sb --tables=1 --table-size=10000"
# shellcheck disable=SC2086
sysbench oltp_point_select $options prepare >/dev/null
run() {
    # shellcheck disable=SC2086
    sysbench "$1" $options --threads=2 --time=8 run | awk '/transactions:/ { gsub(/[(]/, ""); print $3 }'
}
for test in oltp_point_select oltp_read_only; do
    without=$(run $test)
    with=$(MARIADB_PLUGIN_DIR=$plugins LIBMYSQL_PLUGINS=empty_trace run $test)
    echo "$test $without $with" |
        awk '{ printf "%-18s %9.0f/s without, %9.0f/s with a trace plugin: %.2f\n", $1, $2, $3, $3 / $2 }'
done
