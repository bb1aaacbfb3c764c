#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs every libFuzzer target over its kept corpus in tests/fuzz/ROOM/corpus*, as many at once as there are
# cores: the conversation tracker, which every byte of the network meets, for FUZZ_SECONDS (60), the others
# for a quarter of that. What crashes is left in build/fuzz/crashes; what is new stays in build/fuzz/found.
# FUZZ_SEED: where chance begins; 0, the default, elsewhere each time. make test has one of its own: it asks whether a change
# has broken something, and whoever wants to know what was broken before runs make fuzz.
set -uo pipefail
cd "$(dirname "$0")/.."

fuzz() {
    local target=$1 name room seconds=${FUZZ_SECONDS:-60}
    name=$(basename "$target")
    room=$(basename "$(dirname "$target")")
    [ "$name" = fuzz_tracker ] || seconds=$(((seconds + 3) / 4))
    local crashes=build/fuzz/crashes found=build/fuzz/found/$name
    mkdir -p "$crashes" "$found"
    local corpora=("$found")
    for corpus in "tests/fuzz/$room/corpus" "tests/fuzz/$room/corpus_${name#fuzz_}"; do
        [ -d "$corpus" ] && corpora+=("$corpus")
    done
    if "$target" -seed="${FUZZ_SEED:-0}" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 \
        -artifact_prefix="$crashes/$name-" "${corpora[@]}" >"build/fuzz/$name.log" 2>&1; then
        local runs
        runs=$(awk '/stat::number_of_executed_units/ {print $2}' "build/fuzz/$name.log")
        echo "fuzz: $name: $runs inputs in $seconds s, nothing found"
    else
        tail -40 "build/fuzz/$name.log"
        echo "fuzz: $name FAILED; the input is in $crashes" >&2
        return 1
    fi
}
export -f fuzz

mapfile -t targets < <(find build/fuzz/tests/fuzz -maxdepth 2 -type f -executable -name 'fuzz_*' | sort)
if [ ${#targets[@]} = 0 ]; then
    echo "fuzz: there are no targets; build them with make fuzzers" >&2
    exit 1
fi
# The longest one first.
printf '%s\n' "${targets[@]}" | awk '/fuzz_tracker$/ {print; next} {rest = rest $0 "\n"} END {printf "%s", rest}' |
    xargs -P "$(nproc)" -I{} bash -c 'fuzz {}'
