#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Everything that the project checks, step by step, with the time each took, and the processors' time in it. All steps run,
# also after one has failed; the last lines count them, and say of each that failed what it said last.
#
# The steps are in two lanes, side by side: one has what real clients and servers do, which waits most of its time; the other
# has what needs processors, and takes what the first leaves, by its lower priority.
set -uo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-/usr/bin/python3}
log=build/test
# The line of a step's output that is shown beside it.
said='[0-9]+ passed|[0-9]+% tests passed|test files of MariaDB|^total: |^skipped: |the same bytes'
# The lines that say what is wrong.
wrong='FAILED|Failed|ERROR|[Ee]rror:|^lint: |warning:|SUMMARY|Assert|No such|not found'
mkdir -p "$log"
rm -f "$log"/*.log "$log"/*.ended "$log"/*.times

file_of() { # step's name
    echo "$log/${1// /-}"
}

step() {
    local name=$1 start=$SECONDS status file
    file=$(file_of "$name")
    shift
    ("$@" >"$file.log" 2>&1; status=$?; times >"$file.times"; exit $status)
    status=$?
    local took=$((SECONDS - start)) processors
    processors=$(awk -F'[ms ]' 'NR == 2 {print int($1 * 60 + $2 + $4 * 60 + $5)}' "$file.times")
    if [ $status = 0 ]; then
        printf '%-46s ok     %4d s, processors %4d s  %s\n' "$name" $took "$processors" "$(grep -hE "$said" "$file.log" | tail -1)"
    else
        printf '%-46s FAILED %4d s, processors %4d s\n%s\n' "$name" $took "$processors" "$(tail -80 "$file.log")"
    fi
    echo "$status $name" >"$file.ended"
}

# Waits for a step of the lane of builds and checks, which ends early only when it is killed.
after() {
    until [ -e "$(file_of "$1").ended" ] || ! kill -0 "$working" 2>/dev/null; do
        sleep 0.5
    done
}

build() {
    make --no-print-directory "$@"
}

# One more process than processors, as most of them wait; a file's cases share servers, and stay together.
side_by_side=(-n "${WEIR_TEST_WORKERS:-$(($(nproc) + 1))}" --dist loadfile --max-worker-restart 0)

# Thousands of cases with real servers on a machine that others use too: of so many, up to three that fail are run again by
# themselves. What fails twice has failed; what does not is named in the last lines, so that somebody looks at it. A crash,
# of a process that runs cases too, and what a sanitizer says are never chance.
retried_at_most=3
never_chance='Sanitizer|runtime error:|ended with|crashed while running'

integration() { # build kind, further pytest arguments
    local kind=$1
    shift
    if [ "$kind" != release ]; then
        export WEIR_BIN="$PWD/build/$kind/bin"
    fi
    local cache failed status pytest
    cache=$(mktemp -d)
    failed=$cache/v/cache/lastfailed
    pytest=("$python" -m pytest -q -o "cache_dir=$cache" tests/integration "$@")
    "${pytest[@]}" "${side_by_side[@]}" | tee "$cache/said"
    status=$?
    if [ $status = 1 ] && ! grep -qaE "$never_chance" "$cache/said" && [ "$(grep -c '": true' "$failed")" -le $retried_at_most ]; then
        sed -n 's/^ *"\(.*\)": true,*$/retried: \1/p' "$failed"
        "${pytest[@]}" --last-failed
        status=$?
        echo "total: $(tail -1 "$cache/said"), then by themselves: status $status"
    fi
    rm -rf "$cache"
    return $status
}

# test_trace, in the gateway and in the clients, aborts what does not keep to the protocol.
# The clients' own programs, which take long, run in the release build.
asan_integration() (WEIR_TRACE_CRASH=1 integration asan --ignore tests/integration/test_clients.py)
# What the cases compare is as through the gateway alone; how connections end is HAProxy's own matter.
balanced_integration() (WEIR_TEST_BALANCER=1 integration release -k "test_results or test_commands or test_events or test_large or test_prepared or test_closing")
compressed_integration() (WEIR_TEST_OPTIONS="-compression on -backend-compression on" integration release -k "test_results or test_commands or test_large or test_events or test_prepared or test_closing or slow_clients")
# What TLS could change: what is read, how large it may be, and how connections end. Logins and certificates have files of their own.
secured_integration() (WEIR_TEST_TLS=1 integration release -k "test_results or test_commands or test_large or test_closing or test_prepared or slow_clients")
tsan_integration() (integration tsan -k "cluster_rules or cluster_limits or cluster_bans or sysbench or pipelin or drain or concurrent or flush or trace_statements or watchdog")
built_in_integration() (integration test-trace -k trace_built_in)

work() {
    renice -n 10 -p $BASHPID >/dev/null
    step "build with sanitizers" build asan
    step "build with the thread sanitizer" build tsan
    step "build with test_trace built in" build test-trace
    step "unit tests under ASan and UBSan" ctest --test-dir build/asan --output-on-failure -j "$(nproc)"
    step "Debian packages, twice the same" tools/deb.sh -twice
    step "build the fuzzers" build fuzzers
    step "lint" tools/lint.sh
    step "fuzz" env FUZZ_SEED=1 tools/fuzz.sh
}

talk() {
    step "integration" integration release
    step "the server as the judge" "$python" tests/fuzz_server/run.py check
    step "a part of it behind HAProxy with PROXY headers" balanced_integration
    step "a part of it with compression on both sides" compressed_integration
    step "a part of it with TLS on both sides" secured_integration
    step "MariaDB's test files, a sample" "$python" tests/mtr/main.py --sample 30
    after "build with sanitizers"
    step "integration under ASan, protocol checked" asan_integration
    after "build with the thread sanitizer"
    step "integration under TSan" tsan_integration
    after "build with test_trace built in"
    step "integration of test_trace built in" built_in_integration
    after "Debian packages, twice the same"
    step "the packages in a clean Debian" "$python" tests/packages/main.py
}

# In the background SIGINT is ignored.
trap 'trap - TERM; kill 0' INT TERM
work &
working=$!
talk
wait $working

mapfile -t failures < <(sed -n 's/^[1-9][0-9]* //p' "$log"/*.ended)
grep -ah '^retried: ' "$log"/*.log
for name in "${failures[@]}"; do
    printf '\n%s, which FAILED, in short:\n' "$name"
    grep -aE "$wrong" "$(file_of "$name").log" | tail -20
done
all=$(grep -c '^ *step "' tools/test.sh)
passed=$(grep -l '^0 ' "$log"/*.ended | wc -l)
echo "$passed of $all steps passed in $((SECONDS / 60)) min, ${#failures[@]} failed${failures:+: $(printf '%s; ' "${failures[@]}")}"
[ "$passed" = "$all" ]
