#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Everything that the project checks, step by step, with the time each took. All steps run, also after one has failed;
# the last lines count them, and say of each that failed what it said last.
set -uo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-/usr/bin/python3}
passed=0
failures=()
log=build/test
# The line of a step's output that is shown beside it.
said='[0-9]+ passed|[0-9]+% tests passed|test files of MariaDB|^total: |^skipped: '
# The lines that say what is wrong.
wrong='FAILED|Failed|ERROR|[Ee]rror:|^lint: |warning:|SUMMARY|Assert|No such|not found'
mkdir -p "$log"
rm -f "$log"/*.log

step() {
    local name=$1
    shift
    local start=$SECONDS
    printf '%-44s' "$name"
    if "$@" >"$log/${name// /-}.log" 2>&1; then
        printf ' ok     %4d s  %s\n' $((SECONDS - start)) "$(grep -hE "$said" "$log/${name// /-}.log" | tail -1)"
        passed=$((passed + 1))
    else
        printf ' FAILED %4d s\n' $((SECONDS - start))
        tail -80 "$log/${name// /-}.log"
        failures+=("$name")
    fi
}

build() {
    make --no-print-directory "$@"
}

# Thousands of cases with real servers on a machine that others use too: of so many, up to three that fail are run again by
# themselves. What fails twice has failed; what does not is named in the last lines, so that somebody looks at it. A crash
# and what a sanitizer says are never chance.
retried_at_most=3
never_chance='Sanitizer|runtime error:|ended with'

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
    "${pytest[@]}" | tee "$cache/said"
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
tsan_integration() (integration tsan -k "sysbench or pipelin or drain or concurrent or flush or trace_statements or watchdog")
built_in_integration() (integration test-trace -k trace_built_in)

step "build with sanitizers" build asan
step "unit tests under ASan and UBSan" ctest --test-dir build/asan --output-on-failure -j "$(nproc)"
step "lint" tools/lint.sh
step "build the fuzzers" build fuzzers
step "fuzz" tools/fuzz.sh
step "the server as the judge" "$python" tests/fuzz_server/run.py check
step "integration" integration release
step "a part of it behind HAProxy with PROXY headers" balanced_integration
step "a part of it with compression on both sides" compressed_integration
step "a part of it with TLS on both sides" secured_integration
step "MariaDB's test files, a sample" "$python" tests/mtr/main.py --sample 30
step "integration under ASan, protocol checked" asan_integration
step "build with the thread sanitizer" build tsan
step "integration under TSan" tsan_integration
step "build with test_trace built in" build test-trace
step "integration of test_trace built in" built_in_integration

grep -ah '^retried: ' "$log"/*.log
for name in "${failures[@]}"; do
    printf '\n%s, which FAILED, in short:\n' "$name"
    grep -aE "$wrong" "$log/${name// /-}.log" | tail -20
done
echo "$passed passed, ${#failures[@]} failed${failures:+: $(printf '%s; ' "${failures[@]}")}"
[ ${#failures[@]} = 0 ]
