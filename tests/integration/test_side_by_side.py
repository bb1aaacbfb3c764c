# SPDX-License-Identifier: Apache-2.0
"""Several runs of these tests at a time, as the workers of one run are, do not meet: at ports, at addresses, in the folder of
packaged plugins."""
import multiprocessing
import shutil

import pytest
from harness import ports
from harness.namespace import Namespace, namespaces_work
from harness.packaging import package
from harness.paths import ROOT

PROCESSES = 4
at_once = multiprocessing.get_context("fork")


def _ports(results, everybody):
    results.put([ports.free_port() for _ in range(200)])
    everybody.wait(30)  # a block is held until its process ends


def _cable(results, everybody):
    cable = Namespace()
    results.put((cable.outside, cable.device))
    everybody.wait(30)
    cable.remove()


def _package(results, folder, into):
    results.put(str(package(folder, into)))


def in_processes(work, *arguments):
    """What `work` has put, in as many processes as there are."""
    results = at_once.Queue()
    processes = [at_once.Process(target=work, args=(results, *arguments)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    found = [results.get(timeout=30) for _ in processes]
    for process in processes:
        process.join()
    return found


def test_processes_that_ask_for_ports_get_different_ones():
    """Numbers that began near each other, as those of processes do, made blocks that overlapped."""
    mine = {ports.free_port() for _ in range(200)}
    given = in_processes(_ports, at_once.Barrier(PROCESSES))
    assert len(mine.union(*given)) == (PROCESSES + 1) * 200


@pytest.mark.skipif(not namespaces_work(), reason="network namespaces need root")
def test_processes_that_make_cables_get_different_addresses():
    made = in_processes(_cable, at_once.Barrier(PROCESSES))
    assert len({address for address, _ in made}) == len({device for _, device in made}) == PROCESSES


@pytest.mark.gateway_only
def test_a_plugin_that_all_want_at_once_is_packaged_once(tmp_path):
    folder, into = tmp_path / "conn_ip_example", tmp_path / "into"
    shutil.copytree(ROOT / "plugin" / "conn_ip_example", folder, ignore=shutil.ignore_patterns("*.so"))
    found = in_processes(_package, folder, into)
    assert set(found) == {str(into / "conn_ip_example-1.so")}
    before = (into / "conn_ip_example-1.so").stat().st_ino
    package(folder, into)
    assert (into / "conn_ip_example-1.so").stat().st_ino == before
    (folder / "manifest.toml").touch()
    package(folder, into)
    assert (into / "conn_ip_example-1.so").stat().st_ino != before
