#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bench_trace.sh PROGRAM PLUGIN_DIR RECORDINGS WEIR_SERVER: the tracker and the events of tracing over bytes in memory, then
# sysbench against a private MariaDB, without and with a trace plugin that does nothing: in sysbench itself, and in a gateway
# in front of it. What counts is the processor time of the program that traces, for each statement: unlike a rate, it says
# the same on a busy machine. Rounds without and with take turns; the medians are printed.
set -euo pipefail
program=$1 plugins=$2 recordings=$3 weir_server=$4
rounds=${ROUNDS:-5}
# Compressed recordings would measure zlib.
files=$(find "$recordings" -name 'wire.jsonl' ! -path '*/compressed*' 2>/dev/null | sort || true)
# shellcheck disable=SC2086
"$program" $files

for needed in sysbench mariadbd mariadb-install-db mariadb-admin; do
    command -v "$needed" >/dev/null || { echo "no $needed: the part with sysbench is left out"; exit 0; }
done
work=$(mktemp -d)
started=()
finish() {
    for process in "${started[@]}"; do
        kill "$process" 2>/dev/null && wait "$process" || true
    done
    rm -rf "$work"
}
trap finish EXIT

wait_for() { # socket, process, log
    until mariadb-admin --no-defaults -S "$1" -u root ping >/dev/null 2>&1; do
        kill -0 "$2" || { cat "$3"; exit 1; }
    done
}

mariadb-install-db --no-defaults --datadir="$work/data" --user="$(id -un)" \
    --auth-root-authentication-method=normal >"$work/install" 2>&1
mariadbd --no-defaults --datadir="$work/data" --socket="$work/s" --skip-networking --user="$(id -un)" \
    --pid-file="$work/pid" >"$work/log" 2>&1 &
started=($!)
wait_for "$work/s" $! "$work/log"
for kind in without with; do
    trace=()
    [ $kind = without ] || trace=(-trace-plugin "$plugins/empty_trace.so")
    "$weir_server" -backend "unix://$work/s" -P 0 -socket "$work/$kind" -path "$work/weir-$kind" "${trace[@]}" \
        >"$work/$kind.log" 2>&1 &
    started=($! "${started[@]}")
    wait_for "$work/$kind" $! "$work/$kind.log"
done
with_gateway=${started[0]} without_gateway=${started[1]}
mariadb-admin --no-defaults -S "$work/s" -u root create sb
options=(--mysql-user=root --mysql-db=sb --tables=1 --table-size=10000)
sysbench oltp_point_select --mysql-socket="$work/s" "${options[@]}" prepare >/dev/null

# Each prints microseconds of processor time a statement.
in_client() { # without or with, test, events, statements
    local environment=()
    [ "$1" = without ] || environment=("MARIADB_PLUGIN_DIR=$plugins" LIBMYSQL_PLUGINS=empty_trace)
    local TIMEFORMAT='%U %S'
    { time env "${environment[@]}" sysbench "$2" --mysql-socket="$work/s" "${options[@]}" --threads=2 --events="$3" --time=0 \
        run >/dev/null; } 2>&1 | awk -v n="$4" '{ print ($1 + $2) * 1e6 / n }'
}
processor_time() { # of a process, in ticks
    awk '{ sub(/.*[)] /, ""); print $12 + $13 }' "/proc/$1/stat"
}
in_gateway() { # as above
    local process=$with_gateway
    [ "$1" = with ] || process=$without_gateway
    local before
    before=$(processor_time "$process")
    sysbench "$2" --mysql-socket="$work/$1" "${options[@]}" --threads=2 --events="$3" --time=0 run >/dev/null
    echo "$before $(processor_time "$process") $(getconf CLK_TCK) $4" | awk '{ print ($2 - $1) / $3 * 1e6 / $4 }'
}
median() {
    sort -n "$1" | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'
}
for place in in_client in_gateway; do
    for row in "oltp_point_select 40000 40000" "oltp_read_only 3000 48000"; do
        read -r test events statements <<<"$row"
        rm -f "$work"/*.figures
        for ((round = 0; round < rounds; round++)); do
            for kind in without with; do
                $place $kind "$test" "$events" "$statements" >>"$work/$kind.figures"
            done
        done
        echo "$place $test $(median "$work/without.figures") $(median "$work/with.figures")" |
            awk '{ printf "%-10s %-18s %7.2f us a statement without, %7.2f us with a trace plugin: %+.1f %%\n",
                   $1, $2, $3, $4, ($4 / $3 - 1) * 100 }'
    done
done
