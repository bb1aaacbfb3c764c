# SPDX-License-Identifier: Apache-2.0
"""Running sysbench against an endpoint, and reading its report."""
import re

from .endpoint import PASSWORD, USER
from .paths import program


def sysbench(endpoint, test, action, schema="sbtest", timeout=180, **options):
    """Runs one action of a sysbench test; returns its report. Options are sysbench's, with _ for -."""
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    return endpoint.run(program("sysbench"), f"--mysql-host={endpoint.host}", f"--mysql-port={endpoint.port}",
                        f"--mysql-user={USER}", f"--mysql-password={PASSWORD}", f"--mysql-db={schema}", *words, test, action,
                        timeout=timeout).stdout


def number(report, label):
    """The first number after a label of the report: number(report, "reconnects:")."""
    return float(re.search(re.escape(label) + r"\s*([0-9.]+)", report).group(1))


def transactions_per_second(report):
    return float(re.search(r"transactions:\s+\d+\s+\(([0-9.]+) per sec", report).group(1))
