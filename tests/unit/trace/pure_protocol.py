# SPDX-License-Identifier: Apache-2.0
"""Reads the undefined symbols of libweir_trace_protocol.a: no file of it uses sockets, event loops or TLS, and only
trace_plugin_host.c uses threads or loads code.

    pure_protocol.py NM ARCHIVE"""
import re
import subprocess
import sys

NOWHERE = re.compile(r"socket|connect|accept4?|listen|bind|sendto?|sendmsg|recv(from|msg)?|poll|epoll_.*|select|uv_.*|SSL_.*|"
                     r"gnutls_.*|pcap_.*|fork|exec.*")
HOST_ONLY = re.compile(r"pthread_.*|thrd_.*|mtx_.*|dlopen|dlsym|dlclose")
HOST = "trace_plugin_host.c.o"


def uses(nm, archive):
    member = None
    for line in subprocess.run([nm, "-u", archive], check=True, capture_output=True, text=True).stdout.splitlines():
        if line.endswith(".o:"):
            member = line[:-1]
        elif line.strip():
            yield member, line.split()[-1].split("@")[0]


def main():
    nm, archive = sys.argv[1:]
    found = list(uses(nm, archive))
    wrong = [(member, symbol) for member, symbol in found
             if NOWHERE.fullmatch(symbol) or (member != HOST and HOST_ONLY.fullmatch(symbol))]
    for member, symbol in wrong:
        print(f"{member} uses {symbol}")
    # If the host itself is not noticed, nothing would be.
    noticed = any(member == HOST and HOST_ONLY.fullmatch(symbol) for member, symbol in found)
    if not noticed:
        print(f"{HOST} was expected to use dlopen")
    sys.exit(bool(wrong) or not noticed)


if __name__ == "__main__":
    main()
