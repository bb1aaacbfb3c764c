# SPDX-License-Identifier: Apache-2.0
"""The documents say what is so: their marked examples run (harness/documents.py), and the paths they name are there."""
import pathlib
import re
import shutil
import subprocess
import textwrap

import pytest
from harness.documents import blocks, commands, named_paths
from harness.endpoint import Endpoint
from harness.observe import failure, run
from harness.packaging import sanitized
from harness.paths import BIN, ROOT
from harness.ports import free_port
from harness.process import ServerProcess, sanitizer_reports

pytestmark = pytest.mark.gateway_only

ROOT_USER = {"user": "root", "password": "", "database": None}


class Example:
    """One document's scratch folder, and the server that its examples have started."""

    def __init__(self, folder):
        self.folder = folder
        self.server = self.endpoint = None
        (folder / "bin").symlink_to(BIN)
        (folder / "include").symlink_to(ROOT / "include")
        shutil.copytree(ROOT / "plugin", folder / "plugin", ignore=shutil.ignore_patterns("*.so"))

    def shell(self, words):
        # What builds the tree is done where the tree is.
        words = [f"make -C {ROOT}" if word == "make" else word for word in words]
        return "set -e\n" + "\n".join(words)

    def run(self, words):
        done = subprocess.run(["bash", "-c", self.shell(words)], cwd=self.folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{words}: {done.stderr}{done.stdout}"

    def start(self, words):
        port, path = free_port(), self.folder / "weir.sock"
        last = f"exec {words[-1]} -P {port} -socket {path} -path {self.folder}/var"
        self.server = ServerProcess("weir-server", ["bash", "-c", f"cd {self.folder}\n" + self.shell([*words[:-1], last])],
                                    self.folder)
        self.endpoint = Endpoint("weir", "127.0.0.1", port, str(path))

        def answers():
            try:
                self.endpoint.connect(**ROOT_USER).close()
                return True
            except Exception:
                return False

        self.server.wait_ready(answers)

    def query(self, text):
        with self.endpoint.connect(**ROOT_USER) as connection:
            for statement in filter(str.strip, text.split(";")):
                (result,) = run(connection, statement)
                assert "error" not in result, f"{statement}: {result}"

    def follow(self, document):
        for mark, path, language, text in blocks(document):
            if path:
                target = self.folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text)
            elif mark == "tested: server":
                self.start(commands(text))
            elif language == "sql":
                self.query(text)
            else:
                self.run(commands(text))


@pytest.fixture
def example(tmp_path):
    example = Example(tmp_path)
    yield example
    if example.server:
        status = example.server.stop()
        assert status == 0 and not sanitizer_reports(example.server.log())


@pytest.mark.time_limit(120)
def test_the_newcomers_session_of_the_readme(example):
    example.follow("README.md")
    assert example.server, "README.md has an example that starts a server"
    with example.endpoint.connect(**ROOT_USER) as connection:
        (result,) = run(connection, "show plugins")
    assert [column[0] for column in result["columns"]] == ["Name", "Status", "Type", "Library", "License", "Version"]
    assert result["rows"] == [("conn_ip_example", "Ready-enable", "Audit",
                               str(example.folder / "plugin/conn_ip_example/conn_ip_example-1.so"), "", "1")]


@pytest.mark.time_limit(120)
def test_the_plugin_of_the_guide_refuses_what_it_says(example):
    example.follow("docs/plugin-guide.md")
    assert example.server, "the guide has an example that starts a server"
    with example.endpoint.connect(**ROOT_USER) as connection:
        for statement in ("CREATE DATABASE guide", "CREATE USER other@'%' IDENTIFIED BY 'x'", "GRANT ALL ON guide.* TO other@'%'"):
            connection.query(statement)
        with example.endpoint.connect(user="other", password="x", database="guide") as other:
            assert failure(lambda: other.query("DROP DATABASE guide"))["arguments"] == (1142, "only root may do this (Query)")
        connection.query("DROP DATABASE guide")


@pytest.mark.time_limit(120)
def test_the_first_steps_with_the_audit_log(example):
    example.follow("docs/plugins/audit_log.md")
    assert 'SELECT @@audit_log_strategy"' in (example.folder / "var" / "audit.log").read_text()


@pytest.mark.time_limit(180)
def test_the_first_week(example):
    example.follow("docs/first-week.md")
    with example.endpoint.connect(**ROOT_USER) as connection:
        (result,) = run(connection, "SHOW PLUGINS")
        assert [(row[0], row[1]) for row in result["rows"]] == [
            (name, "Ready-enable") for name in ("ip_filter", "sql_firewall", "audit_log")]
        (result,) = run(connection, "SELECT @@sql_firewall_mode")
        assert result["rows"] == [("DETECTING",)]
    assert "ADMIN PLUGINS DISABLE ip_filter" in "".join(path.read_text() for path in (example.folder / "var").glob("audit.log*"))
    if shutil.which("logrotate"):
        subprocess.run(["logrotate", "-d", "-s", example.folder / "state", example.folder / "logrotate.conf"], check=True, capture_output=True)


@pytest.mark.time_limit(120)
@pytest.mark.skipif(bool(sanitized()), reason="valgrind and the page's own sanitizer want programs without one")
def test_the_commands_of_the_page_on_debugging(example):
    example.follow("docs/plugin-debugging.md")
    shown = re.search(r"^    login app: OK\n(?:    .*\n)+", (ROOT / "docs/plugin-debugging.md").read_text(), re.MULTILINE).group()
    assert (example.folder / "my_rules/tests/drop.expected").read_text() == textwrap.dedent(shown)


@pytest.mark.parametrize("document", ["docs/first-week.md", "docs/cluster.md", "docs/operations.md", "docs/plugin-debugging.md", "docs/trace.md", "README.md", "HACKING.md", "docs/architecture.md", "docs/plugin-guide.md", "docs/walkthroughs.md"])
def test_every_path_that_a_document_names_is_there(document):
    missing = [name for name, path in named_paths(document).items() if not pathlib.Path(path).exists()]
    assert not missing, f"{document} names what is not there: {missing}"
