# SPDX-License-Identifier: Apache-2.0
"""Trace plugins from pluginpkg: a manifest of kind Trace, and the same file in a client, in weir-trace and in the gateway."""
import json
import subprocess

import pytest
from harness.paths import CLIENT_LIB, ROOT, program
from harness.tracing import untraced

PLUGINPKG = CLIENT_LIB.parent / "bin" / "pluginpkg"
WEIR_TRACE = CLIENT_LIB.parent / "bin" / "weir-trace"
SAMPLE = (ROOT / "plugin/simple_trace/simple_trace.c").read_text()
MANIFEST = 'name = "simple_trace"\nkind = "Trace"\nversion = "1.2"\n'

pytestmark = pytest.mark.skipif(not WEIR_TRACE.exists(), reason="weir-trace is not built there")


def pluginpkg(folder, files, out):
    """Packages these files as a folder named simple_trace."""
    package = folder / "simple_trace"
    package.mkdir()
    out.mkdir(exist_ok=True)
    for name, text in files.items():
        (package / name).write_text(text)
    return subprocess.run([PLUGINPKG, "-pkg-dir", package, "-out-dir", out], capture_output=True, text=True, env=untraced(),
                          check=False)


def run(command, **environment):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env={**untraced(), **environment},
                          check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(params=["simple_trace.c", "simple_trace.cc"])
def packaged(request, tmp_path):
    """The folder of simple_trace.so, made from the sample as it is: as C, and as C++."""
    done = pluginpkg(tmp_path, {"manifest.toml": MANIFEST, request.param: SAMPLE}, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["simple_trace.so"]
    return tmp_path / "out"


def test_a_client_loads_it_by_its_name(packaged, database):
    shell = [program("mariadb"), "--no-defaults", "-S", database.socket, "-u", "root", "-e", "select 1"]
    assert "Terminating trace" in run(shell, MARIADB_PLUGIN_DIR=str(packaged), LIBMYSQL_PLUGINS="simple_trace")
    assert "Terminating trace" in run([WEIR_TRACE, "--plugin", "simple_trace", "--plugin-dir", packaged, "--", *shell])


@pytest.mark.gateway_only
def test_the_gateway_loads_it(packaged, database, make_gateway):
    gateway = make_gateway(f"unix://{database.socket}", options=["-plugin-dir", packaged, "-trace-plugin", "simple_trace"])
    run([program("mariadb"), "--no-defaults", "-h", gateway.host, "-P", gateway.port, "-u", "root", "-e", "select 1"])
    gateway.stop()
    assert "Trace event received: stage 4, event 12" in gateway.process.output()


def test_its_manifest_can_be_read_without_running_it(packaged):
    manifest = json.loads(run([PLUGINPKG, "-inspect", packaged / "simple_trace.so"]))
    assert (manifest["name"], manifest["kind"], manifest["version"]) == ("simple_trace", "Trace", "1.2")
    assert "on_failure" not in manifest


@pytest.mark.gateway_only
def test_it_is_no_plugin_of_the_servers(packaged, database, make_gateway):
    (packaged / "simple_trace.so").rename(packaged / "simple_trace-1.2.so")
    server = make_gateway(f"unix://{database.socket}", start=False, plugins=["simple_trace-1.2"],
                          options=["-plugin-dir", packaged]).launch()
    assert server.process.wait() == 1
    assert "it is a protocol trace plugin; load it with -trace-plugin" in server.log()


@pytest.mark.parametrize("more, words", [
    ('onInit = "f"\n', "manifest.toml:4: key \"onInit\": kind Trace doesn't have it; a trace plugin's functions stand in its "
                       "mysql_declare_client_plugin(TRACE)"),
    ('on_failure = "allow"\n', 'key "on_failure": kind Trace doesn\'t have it'),
    ('export = [{extPoint="OnGeneralEvent", impl="f"}]\n', 'key "export": kind Trace doesn\'t have it'),
    ('[[sysVars]]\nname = "simple_trace_x"\ntype = "int"\n', 'key "sysVars": kind Trace doesn\'t have it'),
    ('sources = ["nothing.c"]\n', 'key "sources": nothing.c: there is no such file'),
])
def test_a_mistake_in_the_manifest_is_named(tmp_path, more, words):
    done = pluginpkg(tmp_path, {"manifest.toml": MANIFEST + more, "simple_trace.c": SAMPLE}, tmp_path / "out")
    assert done.returncode == 1 and words in done.stderr, done.stderr
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("source, words", [
    ("int nothing;\n", "no source declares the plugin; write #include <mysql/plugin_trace.h>"),
    (SAMPLE.replace('"simple_trace"', '"other_trace"'),
     'manifest.toml:1: key "name": "simple_trace" differs from the name in the plugin\'s declaration, "other_trace"'),
    ("int _mysql_client_plugin_declaration_ = 2;\n", "declares a client plugin of type 2; kind Trace needs"),
], ids=["none", "of another name", "of another type"])
def test_a_declaration_that_does_not_fit_is_named(tmp_path, source, words):
    """A client library would pass over it in silence."""
    if "_declaration_" in source:
        source = '__attribute__((visibility("default"))) ' + source
    done = pluginpkg(tmp_path, {"manifest.toml": MANIFEST, "simple_trace.c": source}, tmp_path / "out")
    assert done.returncode == 1 and words in done.stderr, done.stderr
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.time_limit(240)
def test_an_installed_weir_packages_and_loads_it(tmp_path, database):
    """In a folder that was chosen when it was installed: headers, libraries and plugins are found from the programs on."""
    build = ROOT / "build" / "release"
    if not (build / "cmake_install.cmake").exists() or PLUGINPKG.parent != ROOT / "bin":
        pytest.skip("there is no release build")
    prefix = tmp_path / "prefix"
    run(["cmake", "--install", build, "--prefix", prefix])
    package = tmp_path / "simple_trace"
    package.mkdir()
    (package / "manifest.toml").write_text(MANIFEST)
    (package / "simple_trace.c").write_text(SAMPLE)
    run([prefix / "bin/pluginpkg", "-pkg-dir", package, "-out-dir", tmp_path])
    shell = [program("mariadb"), "--no-defaults", "-S", database.socket, "-u", "root", "-e", "select 1"]
    traced = run([prefix / "bin/weir-trace", "--plugin", "simple_trace", "--plugin-dir", tmp_path, "--", *shell])
    assert "Terminating trace" in traced
    assert run([prefix / "bin/weir-trace", "--", *shell]).startswith("1\n")
    there = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file()}
    assert {f"lib/weir/plugin/{name}-1.so" for name in ("audit_log", "sql_firewall", "ip_filter", "conn_ip_example")} <= there
    assert {"share/doc/weir/plugin-guide.md", "share/doc/weir/plugin/ip_filter/manifest.toml", "include/weir/plugin.h",
            "include/mysql/plugin_trace.h", "share/man/man1/weir-trace.1", "share/doc/weir/README.md"} <= there
    assert json.loads(run([prefix / "bin/pluginpkg", "-inspect", prefix / "lib/weir/plugin/audit_log-1.so"]))["name"] == "audit_log"
