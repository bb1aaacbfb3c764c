#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What is done with the packages in a clean Debian 12, as root and without a network; /packages has them, and
# operations.sh, the commands of docs/operations.md.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
cd /packages

say() {
    echo "packages: $*"
}

fail() {
    echo "packages: $*" >&2
    tail -20 /var/log/weir-server.journal >&2 2>/dev/null || true
    exit 1
}

# apt, which says something only when it fails.
quiet_apt() {
    apt-get -y -q --no-install-recommends "$@" >/var/log/steps-apt.log 2>&1 || { tail -30 /var/log/steps-apt.log >&2; fail "apt-get $*"; }
}

is() {
    local found
    found=$(stat -c '%U:%G %a' "$1")
    [ "$found" = "$2" ] || fail "$1 is $found, not $2"
}

# Everything whose name or place has weir in it, but for what package managers and this test keep.
ours() {
    find / -xdev \( -path /proc -o -path /packages -o -path /var/cache/apt -o -path /tmp \) -prune -o -path '*weir*' -print |
        grep -v -e '^/var/log/weir-server\.journal$' -e '^/run/weir-server\.pid$' -e '^/var/lib/apt/' | sort
}

say "the clean system"
# A clean chroot has no documents excluded, no service started by packages, and a name for the loopback.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
echo "127.0.0.1 localhost" >/etc/hosts
# What the base has as files: no recommended packages.
echo 'APT::Install-Recommends "false";' >/etc/apt/apt.conf.d/90steps
[ -z "$(ours)" ] || fail "there is something of weir before it is installed: $(ours)"
quiet_apt install mariadb-server mariadb-client curl openssl logrotate prometheus man-db
install -m 755 systemctl /usr/local/bin/systemctl

say "docs/operations.md, which installs weir-server and weir-tools"
bash -e operations.sh >/var/log/operations.log 2>&1 || { tail -20 /var/log/operations.log >&2; fail "docs/operations.md"; }

say "what is installed"
is /etc/weir/weir.toml "root:weir 640"
is /var/log/weir "weir:adm 2750"
is /var/lib/weir "weir:weir 750"
is /var/log/weir/audit.log "weir:adm 640"
[ -x /usr/bin/weir-audit ] && [ -e /usr/share/bash-completion/completions/weir-audit ] || fail "weir-tools is not whole"
systemctl restart weir-server
dpkg -V weir-server weir-tools | grep -v '/etc/weir/weir.toml$' && fail "files differ from the packages'"

say "the README's flow of plugins"
quiet_apt install ./weir-dev_*.deb ./libweir-trace1_*.deb ./weir-doc_*.deb
systemctl stop weir-server
dir=$(mktemp -d)
cp -r /usr/share/doc/weir/plugin/conn_ip_example "$dir"
chown -R weir "$dir"
chmod 755 "$dir"
(cd "$dir/conn_ip_example" && pluginpkg -pkg-dir . -out-dir . >/dev/null)

# weir-server with options of its own, a data directory of its own, and the MariaDB that is there.
serve() {
    setpriv --reuid=weir --regid=weir --init-groups weir-server -path "$dir/var" -backend tcp://127.0.0.1:3306 "$@" >"$dir/log" 2>&1 &
    server=$!
    for ((i = 0; i < 600; i++)); do
        (: </dev/tcp/127.0.0.1/4000) 2>/dev/null && return
        kill -0 $server 2>/dev/null || break
        sleep 0.1
    done
    fail "weir-server $*: $(cat "$dir/log")"
}

end_server() {
    kill $server
    wait $server || fail "weir-server has ended with $?: $(tail "$dir/log")"
}

client() {
    mariadb -h 127.0.0.1 -P 4000 -u dba -pQuiet-Night-1 -e "$1"
}

serve -plugin-dir "$dir/conn_ip_example" -plugin-load conn_ip_example-1
client "SHOW PLUGINS" | grep -q "conn_ip_example.Ready-enable" || fail "SHOW PLUGINS does not show conn_ip_example"
end_server
serve -plugin-dir /usr/lib/weir/plugin -plugin-load conn_ip_example-1,audit_log-1
[ "$(client "SHOW PLUGINS" | grep -c Ready-enable)" = 2 ] || fail "the installed plugins are not there"
end_server

say "a plugin of one's own, with the installed pluginpkg and headers"
(cd "$dir" && pluginpkg -new my_rules >/dev/null && pluginpkg -pkg-dir my_rules -out-dir my_rules >/dev/null)
chmod -R a+rX "$dir/my_rules"
serve -plugin-dir "$dir/my_rules" -plugin-load my_rules-1
client "SHOW PLUGINS" | grep -q "my_rules.Ready-enable" || fail "SHOW PLUGINS does not show my_rules"
end_server
weir-trace -- mariadb -u root -e 'SELECT 1' >/dev/null 2>&1 || fail "weir-trace"
rm -r "$dir"

say "remove, which leaves configuration, data and logs"
systemctl start weir-server
systemctl stop weir-server
quiet_apt remove weir-server weir-tools weir-dev weir-doc libweir-trace1
[ ! -e /usr/bin/weir-server ] && [ ! -e /usr/share/doc/weir/README.md ] || fail "programs or documents stay after remove"
[ -e /etc/weir/weir.toml ] && [ -e /var/log/weir/audit.log ] && [ -d /var/lib/weir ] || fail "remove has taken more than programs"

say "purge, which leaves the account, and what the administrator has made"
quiet_apt purge weir-server # of the others nothing is left
left=$(ours | grep -v -E '^/etc/weir(/(certificate\.pem|key\.pem|ip_filter\.conf|sql_firewall\.toml))?$|^/(etc/prometheus/weir\.|var/lib/prometheus/.*/weir_audit_chain\.prom$)' || true)
[ -z "$left" ] || fail "after purge there is still: $left"
getent passwd weir >/dev/null || fail "the account is gone, and its number may come back with another's files"
systemctl stop mariadb
say "ok"
