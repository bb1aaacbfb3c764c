# SPDX-License-Identifier: Apache-2.0
"""logrotate, by the package's own stanza, with an audit log: numbers and chain go on, and weir-audit finds what was moved."""
import gzip
import os
import pathlib
import re
import shutil
import subprocess

import pytest
from audit_log_common import WEIR_AUDIT, weir_audit
from harness.paths import ROOT
from harness.waiting import wait_for

pytestmark = [pytest.mark.gateway_only, pytest.mark.skipif(not shutil.which("logrotate"), reason="no logrotate here")]

STANZA = ROOT / "share/logrotate/weir-server"
# What administrators add to it. logrotate moves nothing to a date that it has had already: NUMBER is another one each time.
# How many rotations; audit.log.10 is older than audit.log.9.
VARIANTS = {"as it is": (11, ""), "compressed": (11, "compress"), "compressed later": (2, "compress\ndelaycompress"),
            "with dates": (2, "dateext\ndateformat -%Y%m%d-NUMBER"), "with dates, compressed": (2, "dateext\ndateformat .%Y%m%d%H-NUMBER\ncompress")}


class Rotation:
    """The stanza for the log of a server that is no service: its folder, its user, and a systemctl that finds its process."""

    def __init__(self, server, folder, variant=""):
        self.server, self.folder, self.count = server, folder, 0
        text = STANZA.read_text().replace("/var/log/weir/", f"{server.path.parent}/").replace("    daily\n", f"    daily\n{variant}\n")
        self.text = re.sub(r"^ *(su|create 0640) weir adm\n", "", text, flags=re.MULTILINE)
        systemctl = folder / "systemctl"
        systemctl.write_text('#!/bin/sh\n[ "$*" = "kill --signal=HUP --kill-whom=main weir-server.service" ] && '
                             f'kill -HUP "$(cat {folder}/pid)"\n')
        systemctl.chmod(0o755)

    def rotate(self, is_running=True):
        self.count += 1
        stanza = self.folder / "stanza"
        stanza.write_text(self.text.replace("NUMBER", f"{self.count:02}"))
        stanza.chmod(0o644)
        (self.folder / "pid").write_text(str(self.server.server.process.pid) if is_running else "none")
        done = subprocess.run(["logrotate", "-f", "-s", self.folder / "state", stanza], capture_output=True, text=True,
                              env={**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}"})
        assert done.returncode == 0 and "error:" not in done.stderr, done.stderr


def ask(server, text):
    with server.endpoint.connect() as connection:
        connection.query(text)


def files(server):
    return weir_audit("files", "-paths", server.path).stdout.split()


def goes_on_in_the_new_file(server):
    """SIGHUP is followed some time after it has come."""
    def is_there():
        ask(server, "SELECT 1")
        return server.path.exists() and server.path.stat().st_size > 0
    wait_for(is_there, "a record in the new file")


def assert_intact(server):
    done = weir_audit("verify", *files(server))
    assert re.match(r"\d+ records, 1 to \d+, chained and intact", done.stdout), done.stdout


@pytest.mark.parametrize("count, variant", VARIANTS.values(), ids=VARIANTS)
def test_the_chain_goes_over_what_logrotate_has_moved(audited, tmp_path, count, variant):
    server = audited(strategy="SYNCHRONOUS", chain=True)
    rotation = Rotation(server, tmp_path, variant)
    for number in range(count):
        goes_on_in_the_new_file(server)
        ask(server, f"SELECT 'before rotation {number}'")
        rotation.rotate()
    goes_on_in_the_new_file(server)
    assert len(files(server)) == count + 1 and files(server)[-1] == str(server.path)
    assert_intact(server)
    shown = weir_audit("show", "-event", "Completed", "-format", "sql", *files(server)).stdout
    assert re.findall(r"before rotation (\d+)", shown) == [str(number) for number in range(count)]
    # A shell's pattern for all of them names each twice, and one that is missing is still found.
    assert weir_audit("files", "-paths", *sorted(server.path.parent.glob("audit.log*"))).stdout.split() == files(server)
    pathlib.Path(files(server)[1]).unlink()
    assert "are missing: cut out" in weir_audit("verify", *files(server), check=False).stdout


def test_numbers_went_on_at_1_after_a_rotation_while_weir_was_down(audited, tmp_path):
    server = audited(strategy="SYNCHRONOUS", chain=True)
    ask(server, "SELECT 1")
    server.server.stop()
    Rotation(server, tmp_path).rotate(is_running=False)
    server.server.start()
    goes_on_in_the_new_file(server)
    assert len(files(server)) == 2
    assert_intact(server)
    server.server.stop()


def test_the_check_from_cron_follows_rotated_files(audited, tmp_path):
    server = audited(strategy="SYNCHRONOUS", chain=True)
    ask(server, "SELECT 1")
    Rotation(server, tmp_path, "compress").rotate()
    goes_on_in_the_new_file(server)
    server.server.stop()

    def check():
        done = subprocess.run([ROOT / "share/prometheus/weir-audit-chain", server.path, tmp_path],
                              env={**os.environ, "WEIR_AUDIT": str(WEIR_AUDIT)}, capture_output=True, text=True)
        return done.returncode, re.search(r"^weir_audit_chain_intact\{.*\} (\d)$", (tmp_path / "weir_audit_chain.prom").read_text(), re.MULTILINE)[1]

    assert check() == (0, "1")
    rotated = server.path.with_name("audit.log.1.gz")
    text = gzip.decompress(rotated.read_bytes())
    rotated.write_bytes(gzip.compress(text.replace(b"SELECT 1", b"SELECT 2")))
    assert check() == (1, "0")
