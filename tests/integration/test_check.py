# SPDX-License-Identifier: Apache-2.0
"""weir-server -check: what is wrong with a configuration, or what it would put into force, without a start."""
import os
import subprocess

import pytest
from harness.paths import WEIR_SERVER

pytestmark = pytest.mark.gateway_only


@pytest.fixture
def check(tmp_path, plugins):
    def run(text, *arguments):
        config = tmp_path / "weir.toml"
        config.write_text(text)
        done = subprocess.run([WEIR_SERVER, "-check", "-config", config, "-plugin-dir", plugins, "-path", tmp_path / "data", *arguments],
                              capture_output=True, text=True, timeout=30, cwd=tmp_path, env={name: value for name, value in os.environ.items() if name != "WEIR_BACKEND"})
        assert sorted(os.listdir(tmp_path)) == ["weir.toml"]  # nothing was started
        return done
    return run


BACKEND = "backend = 'tcp://127.0.0.1:1'\n"


@pytest.mark.parametrize("text, words", [
    (BACKEND + "max-conections = 5\n", 'weir.toml:2: key "max-conections": no such option; did you mean "max-connections"?'),
    (BACKEND + "ssl-cert = '/nowhere.pem'\n", "-ssl-cert /nowhere.pem"),
    (BACKEND + "backend-ssl-ca = '/nowhere.pem'\n", "-backend-ssl-ca /nowhere.pem"),
    (BACKEND + "status-token-file = '/nowhere.token'\n", "-status-token-file /nowhere.token: No such file"),
    (BACKEND + "require-secure-transport = true\n", "-require-secure-transport: there is no certificate"),
    (BACKEND + "proxy-protocol-networks = 'x'\n", "proxy-protocol-networks"),
    (BACKEND + "port = 0\n", "nothing to listen on"),
    ("backend = 'db:3306'\n", "tcp://host:port"),
    ("[[backend]]\nname = 'a'\n", "weir.toml:1: [[backend]]: a backend without address"),
    ("[[backend]]\naddress = 'tcp://a:1'\n[[backend]]\naddress = 'tcp://a:1'\n", "two backends are named tcp://a:1"),
    (BACKEND + "backend-first = true\n" + "backend-check-expect = 'x'\n", "-backend-check-expect: there is no -backend-check-query"),
    (BACKEND + "plugin-load = 'nothing-1'\n", "nothing-1.so: No such file"),
    (BACKEND + "plugin-load = 'settings-1,settings-1'\n", "plugin settings is named twice"),
    (BACKEND + "plugin-load = 'settings-1'\nplugin-locked = 'recorder'\n", "-plugin-locked recorder: no such plugin is loaded"),
    (BACKEND + "plugin-load = 'settings-1'\n[plugin.settings]\nlimit = 1001\n", "weir.toml:4: [plugin.settings] settings_limit = \"1001\""),
    (BACKEND + "[plugin.setings]\nlimit = 3\n", "weir.toml:2: [plugin.setings]: no such plugin is loaded, nor in -plugin-dir"),
])
def test_what_is_wrong_is_named_with_its_line(check, text, words):
    done = check(text)
    assert (done.returncode, done.stdout, words in done.stderr) == (1, "", True), done.stderr


def test_what_would_be_in_force_is_a_file_that_says_the_same(check):
    done = check("[[backend]]\nname = \"a\\\"b\"\naddress = 'tcp://a:1'\nweight = 3\n[[backend]]\naddress = 'tcp://b:1'\n", "-max-connections", "7",
                 "-plugin-load", "settings-1", "-backend-check-user", "u", "-backend-check-password", "very-secret")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    for line in ("max-connections = 7", 'host = "127.0.0.1"', 'level = "info"', "auto-tls = false", 'name = "a\\"b"', "weight = 3",
                 "#backend-check-password = (secret)"):
        assert line in lines, done.stdout
    assert "very-secret" not in done.stdout
    assert any(line.startswith("# plugin settings 1, ") for line in lines)
    again = check("".join(line + "\n" for line in lines if not line.startswith(("plugin-dir", "path"))))
    assert again.stdout == done.stdout.replace("#backend-check-password = (secret)", '#backend-check-password = ""'), again.stderr
