#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bench_sql.sh PROGRAM: the speed of the room sql, and instructions per statement under callgrind.
set -eu
program=$1
"$program"
command -v valgrind >/dev/null || exit 0
# Instructions are counted in one round of each pass, between its two marks.
for pass in lexer normalize digest facts; do
    out=$(mktemp)
    valgrind --tool=callgrind --callgrind-out-file="$out" --toggle-collect="pass_$pass" \
        "$program" --once "$pass" >"$out.count" 2>/dev/null
    awk -v pass="$pass" 'FNR == NR { count = $1; next }
        /^(summary|totals):/ { total = $2 }
        END { printf "%-10s %10.0f instructions a statement\n", pass, total / count }' "$out.count" "$out"
    rm -f "$out" "$out.count"
done
