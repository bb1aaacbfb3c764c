# SPDX-License-Identifier: Apache-2.0
"""What MySQL's test_trace plugin printed for recorded conversations, against what ours prints for their bytes.

    trace_test_trace.py WEIR_TRACE FOLDER      (exit status 77: the folder is not there)

Left out is what bytes do not tell: errors that a client raised by itself, ciphertext, sessions whose client broke the
order of calls, and the end of the program, which need not end its library."""
import pathlib
import subprocess
import sys

SKIPPED = 77
NOT_DERIVABLE = ("debug_off", "debug_unset", "tls_required", "connect_refused", "read_error",
                 "out_of_sync", "end_more")
FOREIGN = ("mysql:", "ERROR")  # what the client program itself printed among the lines
THE_END = "test_trace: Test trace plugin de-initialized"


def lines_of(text):
    lines = text.decode("latin-1").split("\n")
    kept = [line for line in lines if not line.startswith(FOREIGN) and line != THE_END]
    # A statement that ends with a newline in the program's memory is printed with it; the wire has none.
    return [line for line in kept if line.strip() or not line]


def drop_empty(lines):
    return [line for line in lines if line]


def check(weir_trace, folder):
    wire = next(path for path in sorted(folder.glob("wire.jsonl*")))
    run = subprocess.run([weir_trace, "--wire", wire, "--format", "test_trace"],
                         capture_output=True, check=True)
    expected = drop_empty(lines_of((folder / "testtrace.txt").read_bytes()))
    actual = drop_empty(lines_of(run.stderr))
    for number, (want, have) in enumerate(zip(expected + [None], actual + [None]), 1):
        if want != have:
            print(f"FAILED {folder}, line {number}\n  expected {want}\n  actual   {have}")
            return False
    return len(expected) == len(actual)


def main():
    weir_trace, root = sys.argv[1], pathlib.Path(sys.argv[2])
    if not root.is_dir():
        print("no recordings: skipped")
        return SKIPPED
    folders = [path.parent for path in sorted(root.glob("*/*/testtrace.txt"))
               if not path.parent.name.endswith(NOT_DERIVABLE)]
    failed = [folder for folder in folders if not check(weir_trace, folder)]
    print(f"{len(folders)} recordings, {len(failed)} differ")
    return 1 if failed or not folders else 0


sys.exit(main())
