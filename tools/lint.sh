#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The checks that run nothing of weir: format, rooms and arrows, ideas, sizes, clang-tidy, cppcheck. They read the
# sources and the release build.
set -uo pipefail
cd "$(dirname "$0")/.."
build=build/release
failed=0

complain() {
    echo "lint: $*" >&2
    failed=1
}

mapfile -t sources < <(git ls-files '*.c' '*.h' '*.cc')

clang-format --dry-run --Werror "${sources[@]}" || complain "format: run make format"

# Rooms: what they include, and, in the object files of the build, what they use.
tools/includes || complain "includes between rooms"
tools/arrows --build "$build" >/dev/null || complain "arrows: tools/arrows shows them"

# shellcheck disable=SC2046
tools/ideas $(git ls-files '*.c' '*.cc') || complain "each file opens with its idea"

# The ABI is one header on purpose: authors look in one place.
for file in "${sources[@]}"; do
    lines=$(wc -l <"$file")
    [ "$lines" -le 600 ] || [ "$file" = include/weir/plugin.h ] || complain "$file: $lines lines; is there a second idea in it?"
done

grep -nE '\b(strcpy|strcat|sprintf|vsprintf|gets|alloca|strncpy|strncat)\(' "${sources[@]}" &&
    complain "banned functions; use strbuf, snprintf, memcpy with a checked length"

# What it says counts, and not its status, which ends the pipeline either way. clang does not know gcc's flags of LTO.
mapfile -t units < <(git ls-files 'src/*.c' 'cmd/*.c')
tidy=$(printf '%s\n' "${units[@]}" |
    xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p "$build" --extra-arg=-Wno-ignored-optimization-argument 2>/dev/null |
    grep -E 'error:|warning:')
[ -z "$tidy" ] || complain "clang-tidy: $tidy"

# Plugins: pluginpkg knows how they are compiled, so clang-tidy is asked by way of the compiler.
tidied=$(mktemp -d)
export tidied
tidy_plugin() {
    CC=$PWD/tools/tidy-cc.sh TIDY_REPORT=$tidied/${1##*/}.report \
        bin/pluginpkg -pkg-dir "$1" -out-dir "$tidied" >/dev/null || echo "$1"
}
export -f tidy_plugin
mapfile -t plugins < <(git ls-files 'plugin/*/manifest.toml' | xargs -n 1 dirname)
printf '%s\n' "${plugins[@]}" | xargs -P "$(nproc)" -I{} bash -c 'tidy_plugin {}' | grep . &&
    complain "these plugins are not packaged"
[ "$(find "$tidied" -name '*.report' | wc -l)" = ${#plugins[@]} ] || complain "clang-tidy has not seen all plugins"
sort -u "$tidied"/*.report | grep . && complain "clang-tidy in plugins"
rm -r "$tidied"

cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --language=c \
    --enable=warning,performance,portability --suppress=missingIncludeSystem \
    --suppress=normalCheckLevelMaxBranches --suppress=unknownMacro \
    -I src -I include -I plugin/audit_log -I plugin/fake_host -I plugin/sql_firewall -I "$build/src/sql/generated" -D_GNU_SOURCE "-DWEIR_VERSION=\"\"" \
    -j "$(nproc)" $(git ls-files 'src/*.c' 'cmd/*.c' 'plugin/*.c') || complain "cppcheck"

[ $failed = 0 ] && echo "lint: ${#sources[@]} files are ok"
exit $failed
