#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs every libFuzzer target for FUZZ_SECONDS in all (60), each over its kept corpus in tests/fuzz/ROOM/corpus*.
# What crashes is left in build/fuzz/crashes; what is new stays in build/fuzz/found.
set -uo pipefail
cd "$(dirname "$0")/.."
mapfile -t targets < <(find build/fuzz/tests/fuzz -maxdepth 2 -type f -executable -name 'fuzz_*' | sort)
seconds=$(((${FUZZ_SECONDS:-60} + ${#targets[@]} - 1) / ${#targets[@]}))
crashes=build/fuzz/crashes
mkdir -p "$crashes"
failed=0
for target in "${targets[@]}"; do
    name=$(basename "$target")
    room=$(basename "$(dirname "$target")")
    found=build/fuzz/found/$name
    mkdir -p "$found"
    corpora=("$found")
    for corpus in "tests/fuzz/$room/corpus" "tests/fuzz/$room/corpus_${name#fuzz_}"; do
        [ -d "$corpus" ] && corpora+=("$corpus")
    done
    if "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 \
        -artifact_prefix="$crashes/$name-" "${corpora[@]}" >"build/fuzz/$name.log" 2>&1; then
        runs=$(awk '/stat::number_of_executed_units/ {print $2}' "build/fuzz/$name.log")
        echo "fuzz: $name: $runs inputs in $seconds s, nothing found"
    else
        tail -40 "build/fuzz/$name.log"
        echo "fuzz: $name FAILED; the input is in $crashes" >&2
        failed=1
    fi
done
exit $failed
