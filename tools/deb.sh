#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The Debian packages of the commit that is checked out, into build/deb, with lintian's opinion of them. What is not
# committed is not in them.
#
#     tools/deb.sh [-twice]
#
# -twice builds them again, in a folder of another name, and fails unless both are the same, byte by byte.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$PWD/build/deb
# The same bytes from the same commit, whenever and wherever it is built.
WEIR_COMMIT=$(git rev-parse --short=12 HEAD)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct "$WEIR_COMMIT")
export SOURCE_DATE_EPOCH WEIR_COMMIT DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS:-parallel=$(nproc)}"

# build FOLDER NAME: packages and build.log in FOLDER, out of sources in FOLDER/NAME, which are removed.
build() {
    rm -rf "$1"
    mkdir -p "$1/$2"
    git archive "$WEIR_COMMIT" | tar -x -C "$1/$2"
    (cd "$1/$2" && dpkg-buildpackage --unsigned-source --unsigned-changes --build=binary) >"$1/build.log" 2>&1 ||
        { tail -40 "$1/build.log" >&2; exit 1; }
    rm -rf "${1:?}/$2"
}

# What two builds of a package have differently, by the files in it.
differences() {
    local one two
    one=$(mktemp -d) two=$(mktemp -d)
    dpkg-deb -R "$1" "$one"
    dpkg-deb -R "$2" "$two"
    diff -rq "$one" "$two" || true
    rm -rf "$one" "$two"
}

build "$out" weir
lintian --fail-on error,warning "$out"/*.changes
if [ "${1:-}" = -twice ]; then
    again=$PWD/build/deb-again
    build "$again" sources-in-another-folder
    failed=0
    for package in "$out"/*.deb; do
        cmp -s "$package" "$again/${package##*/}" && continue
        echo "deb: ${package##*/} comes out differently each time" >&2
        differences "$package" "$again/${package##*/}" >&2
        failed=1
    done
    [ "$failed" = 0 ] || exit 1
    rm -rf "$again"
    echo "deb: both builds are the same bytes"
fi
ls "$out"/*.deb
