#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The checks that only read the sources: format, arrows between rooms, sizes, clang-tidy, cppcheck.
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

# A room may include the public header of rooms below it, and its own headers; nothing else.
below() {
    case $1 in
    base) echo "" ;;
    wire | sql) echo "base" ;;
    plugin) echo "base sql wire" ;;
    trace) echo "base wire" ;;
    gateway) echo "base wire sql plugin trace" ;;
    esac
}
for room in base wire sql plugin trace gateway; do
    while IFS=: read -r file line include; do
        other=${include#*\"}
        other=${other%%/*}
        [ "$other" = "$room" ] && continue
        case " $(below "$room") " in
        *" $other "*)
            [[ $include == *"\"$other/$other.h\""* ]] ||
                complain "$file:$line: includes a private header of the room $other" ;;
        *" "*)
            case $other in
            base | wire | sql | plugin | trace | gateway)
                complain "$file:$line: the room $room may not use $other" ;;
            esac ;;
        esac
    done < <(grep -nE '^#include "' "src/$room"/*.[ch] "src/$room"/*.cc 2>/dev/null)
done

# The ABI is one header on purpose: authors look in one place.
for file in "${sources[@]}"; do
    lines=$(wc -l <"$file")
    [ "$lines" -le 600 ] || [ "$file" = include/weir/plugin.h ] || complain "$file: $lines lines; is there a second idea in it?"
done

grep -nE '\b(strcpy|strcat|sprintf|vsprintf|gets|alloca|strncpy|strncat)\(' "${sources[@]}" &&
    complain "banned functions; use strbuf, snprintf, memcpy with a checked length"

mapfile -t units < <(git ls-files 'src/*.c' 'cmd/*.c')
printf '%s\n' "${units[@]}" |
    xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p "$build" 2>/dev/null | grep -E 'error:|warning:' &&
    complain "clang-tidy"

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
    -I src -I include -I plugin/audit_log -I plugin/sql_firewall -I plugin/fake_host -I "$build/src/sql/generated" -D_GNU_SOURCE "-DWEIR_VERSION=\"\"" \
    -j "$(nproc)" $(git ls-files 'src/*.c' 'cmd/*.c' 'plugin/*.c') || complain "cppcheck"

[ $failed = 0 ] && echo "lint: ${#sources[@]} files are fine"
exit $failed
