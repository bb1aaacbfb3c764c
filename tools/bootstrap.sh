#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Installs what is missing from Debian's packages, for one or more purposes:
#
#     tools/bootstrap.sh build run test clients bench deb
#
# Says in one line what it is going to do. With nothing missing it only asks dpkg, needs neither network nor root,
# and says nothing. Recommended packages are left out: mariadb-server would start a system service, and only
# the engine (mariadb-server-core) is wanted. What the tests need of mariadb-server, plugins and scripts, and the program
# of mariadb-test, which depends on it, are taken out of the packages without installing them.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

# The unit tests are part of every build, so cmocka is too.
build="gcc g++ cmake ninja-build pkg-config libuv1-dev libssl-dev libelf-dev libtomlplusplus-dev
    libjansson-dev libmariadb-dev libpcap-dev zlib1g-dev libzstd-dev uthash-dev libcmocka-dev libpcre2-dev
    libmaxminddb-dev libmicrohttpd-dev libsystemd-dev libcurl4-openssl-dev"
# mariadb-client-core holds the mariadb shell and my_print_defaults, which mariadb-install-db calls.
run="mariadb-server-core mariadb-client-core"
# mariadb-client holds mariadb-binlog. util-linux and iproute2: network namespaces. mariadb-test-data: tests/mtr.
test="clang clang-format clang-tidy libclang-rt-14-dev cppcheck valgrind
    python3 python3-pytest python3-pytest-xdist python3-pymysql python3-cryptography python3-mysqldb python3-sqlalchemy
    perl libdbd-mysql-perl libdbd-mariadb-perl percona-toolkit php-cli php-mysql default-jdk-headless libmariadb-java
    mariadb-client mariadb-test-data libpcre2-posix3 mydumper sysbench iproute2 util-linux openssl git tcpdump
    prometheus haproxy systemd etcd-server etcd-client galera-4 rsync lsof procps man-db logrotate"
# The quick ones of tests/clients; the others of Debian's.
test_clients="php-cli php-mysql libmariadb-java libdbd-mariadb-perl ruby ruby-mysql2 node-mysql python3-sqlalchemy
    python3-django"
# libodbc2: ha_connect.so is linked with it.
clients="golang-go golang-github-go-sql-driver-mysql-dev libtest-deep-perl python3-venv libodbc2"
bench="python3 python3-pymysql haproxy sysbench"
# debootstrap, util-linux (unshare), iproute2: the clean system of tests/packages.
deb="debhelper dpkg-dev fakeroot git lintian debootstrap util-linux iproute2 python3"

mariadb_plugins="usr/lib/mysql/plugin/auth_ed25519.so usr/lib/mysql/plugin/server_audit.so"
mariadb_test=usr/bin/mariadb-test
# A node's state transfer by rsync.
galera_transfer="usr/bin/wsrep_sst_rsync usr/bin/wsrep_sst_common"
mariadb_federated=usr/lib/mysql/plugin/ha_federatedx.so
mariadb_spider=usr/lib/mysql/plugin/ha_spider.so
mariadb_connect=usr/lib/mysql/plugin/ha_connect.so
unpacked=$root/build/debian

installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null || true)" = installed ]
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "bootstrap: neither root nor sudo is here; as root, run: $*" >&2
        exit 1
    fi
}

# Whether all of these files are there, installed or unpacked.
have() {
    for file in "$@"; do
        [ -e "/$file" ] || [ -e "$unpacked/$file" ] || return 1
    done
}

# take PACKAGE FILE...: files out of a package that is not installed, in the version that fits the engine that is.
take() {
    package=$1
    shift
    echo "bootstrap: taking $* out of Debian's $package, into build/debian"
    mkdir -p "$unpacked"
    cd "$unpacked"
    version=$(dpkg-query -W -f='${Version}' mariadb-server-core)
    apt-get -qq -o APT::Sandbox::User="$(id -un)" download "$package=$version"
    dpkg-deb -x "$package"_*.deb package
    for file in "$@"; do
        mkdir -p "$(dirname "$file")"
        mv "package/$file" "$file"
    done
    rm -rf package "$package"_*.deb
}

[ $# -gt 0 ] || { echo "usage: $0 build|run|test|clients|bench|deb ..." >&2; exit 2; }

wanted=
want_test=no
want_clients=no
for purpose in "$@"; do
    case $purpose in
    build) wanted="$wanted $build" ;;
    run) wanted="$wanted $run" ;;
    test)
        wanted="$wanted $test $test_clients"
        # Any node will do; Debian's is installed where there is none.
        { command -v node && command -v npm; } >/dev/null || wanted="$wanted nodejs npm"
        # Any JDK too.
        command -v javac >/dev/null || wanted="$wanted default-jdk-headless"
        want_test=yes
        ;;
    clients)
        command -v mvn >/dev/null || wanted="$wanted maven"
        wanted="$wanted $clients"
        want_clients=yes
        ;;
    bench) wanted="$wanted $bench" ;;
    deb) wanted="$wanted $deb" ;;
    *) echo "bootstrap: no such purpose: $purpose (build, run, test, clients, bench, deb)" >&2; exit 2 ;;
    esac
done

missing=
for package in $wanted; do
    case " $missing " in *" $package "*) continue ;; esac
    installed "$package" || missing="$missing $package"
done

if [ -n "$missing" ]; then
    echo "bootstrap: installing from Debian's packages:$missing"
    as_root apt-get -qq update
    # shellcheck disable=SC2086 # a list of words
    as_root env DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes \
        apt-get -qq -y -o Dpkg::Use-Pty=0 install --no-install-recommends $missing >/dev/null
fi

# shellcheck disable=SC2086 # a list of words
if [ "$want_test" = yes ]; then
    have $mariadb_plugins $galera_transfer $mariadb_test || [ -n "$missing" ] || as_root apt-get -qq update
    have $mariadb_plugins || take mariadb-server $mariadb_plugins
    have $galera_transfer || take mariadb-server $galera_transfer
    have $mariadb_test || take mariadb-test $mariadb_test
    # The servers of tests/mtr run under it; the package of the server, which makes it elsewhere, is not installed.
    getent passwd mysql >/dev/null || as_root useradd --system --no-create-home --shell /usr/sbin/nologin mysql
fi

if [ "$want_clients" = yes ]; then
    have $mariadb_federated || take mariadb-server $mariadb_federated
    have $mariadb_spider || take mariadb-plugin-spider $mariadb_spider
    have $mariadb_connect || take mariadb-plugin-connect $mariadb_connect
fi
