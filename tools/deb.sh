#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The Debian packages of the commit that is checked out, into build/deb, with lintian's opinion of them. What is not
# committed is not in them.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$PWD/build/deb
rm -rf "$out"
mkdir -p "$out/weir"
git archive HEAD | tar -x -C "$out/weir"
# The same bytes from the same commit, whenever and wherever it is built.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
WEIR_COMMIT=$(git rev-parse --short=12 HEAD)
export SOURCE_DATE_EPOCH WEIR_COMMIT DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS:-parallel=$(nproc)}"
(cd "$out/weir" && dpkg-buildpackage --unsigned-source --unsigned-changes --build=binary) >"$out/build.log" 2>&1 ||
    { tail -40 "$out/build.log" >&2; exit 1; }
rm -rf "$out/weir"
lintian --fail-on error,warning "$out"/*.changes
ls "$out"/*.deb
