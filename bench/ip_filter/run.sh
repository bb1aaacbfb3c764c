#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Builds and runs the bench of ip_filter's rules; fails when a million networks take two seconds to read, or a
# decision takes a microsecond.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
plugin=$here/../../plugin/ip_filter
out=$(mktemp)
trap 'rm -f "$out"' EXIT
"${CC:-cc}" -std=gnu11 -O2 -I"$plugin" -I"$here/../../include" -o "$out" "$here/bench.c" "$plugin/networks.c" "$plugin/ranges.c" "$plugin/scopes.c" "$plugin/limits.c"
"$out"
