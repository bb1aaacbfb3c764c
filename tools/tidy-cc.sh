#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A C compiler that asks clang-tidy first: pluginpkg knows how a plugin is compiled, and this is how the lint hears of
# it (CC=tools/tidy-cc.sh). What clang-tidy says is appended to the file $TIDY_REPORT.
set -u
for word in "$@"; do
    case $word in
    */manifest.gen.c) ;; # generated
    *.c) clang-tidy --quiet "$word" -- "$@" 2>/dev/null | grep -E 'error:|warning:' >>"$TIDY_REPORT" ;;
    esac
done
exec cc "$@"
