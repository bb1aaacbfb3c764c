# SPDX-License-Identifier: Apache-2.0
"""The tools that check the rooms, each shown a small tree that breaks its rule: a check that cannot fail checks nothing."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = HERE.parents[2] / "tools"
LIST = """\
base   src/base      base/base.h         below:
wire   src/wire      wire/wire.h   pure  below: base
inner  src/top/inner top/inner/inner.h   below: base
top    src/top       -                   below: base wire inner  # the roof
"""
# Files of a tree in which all is well: NAME: what is in it. Of .c files there are object files.
SOURCES = {
    "src/base/base.h": "int base_one(void);\n",
    "src/base/base.c": "int base_one(void) { return 1; }\n",
    "src/wire/wire.h": "int wire_one(void);\n",
    "src/wire/bytes.h": "int wire_private(void);\n",
    "src/wire/wire.c": '#include "base/base.h"\n#include "wire/bytes.h"\n#include "wire/wire.h"\n'
                       "int wire_private(void) { return 2; }\nint wire_one(void) { return base_one(); }\n",
    "src/top/inner/inner.h": "int inner_one(void);\n",
    "src/top/inner/inner.c": '#include "top/inner/inner.h"\nint inner_one(void) { return 3; }\n',
    "src/top/top.c": '#include "top/inner/inner.h"\n#include "wire/wire.h"\nint top_one(void);\n'
                     "int top_one(void) { return inner_one() + wire_one(); }\n",
}
PICTURE = """\
 3  top    -> inner wire

 2  wire   -> base  (pure)

 1  base
 1  inner
"""


def guide(picture):
    return f"# HACKING\n\n<!-- tools/arrows -->\n```text\n{picture}```\n"


class Tree(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def make(self, changes=None, rooms=LIST, picture=PICTURE):
        """Writes the tree with these files changed or added, compiles it, and describes the build as CMake does."""
        self.write("cmake/rooms.list", rooms)
        self.write("HACKING.md", guide(picture))
        sources, commands = {**SOURCES, **(changes or {})}, []
        for name, text in sources.items():
            self.write(name, text)
        for name in filter(lambda name: name.endswith(".c"), sources):
            folder = pathlib.PurePath(name).parent.name
            target = f"weir_{folder}" if name.startswith("src/") else folder
            made = self.write(f"build/CMakeFiles/{target}.dir/{pathlib.PurePath(name).name}.o", "")
            command = ["cc", "-c", str(self.root / name), "-I", str(self.root / "src"), "-o", str(made)]
            subprocess.run(command, check=True)
            commands.append({"directory": str(self.root), "file": str(self.root / name), "command": " ".join(command)})
        self.write("build/compile_commands.json", json.dumps(commands))

    def run_tool(self, *words):
        return subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True)

    def arrows(self, *words):
        return self.run_tool(TOOLS / "arrows", "--root", self.root, "--build", self.root / "build", *words)

    def assert_fails(self, done, *parts):
        self.assertEqual(done.returncode, 1, done)
        for part in parts:
            self.assertIn(part, done.stderr)


class Arrows(Tree):
    def test_a_tree_in_order(self):
        self.make()
        done = self.arrows()
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, PICTURE, ""))

    def test_the_arrows_between_the_files_of_a_room(self):
        self.make({"src/wire/two.c": '#include "wire/bytes.h"\nint two(void);\nint two(void) { return wire_private(); }\n'})
        self.assertEqual(self.arrows("--files", "wire").stdout,
                         "two.c\n    -> wire.c: wire_private\nwire.c\n    uses the rooms base\n")

    def test_a_program_stands_above_the_rooms(self):
        self.make({"cmd/weird/main.c": "int wire_one(void);\nint main(void) { return wire_one(); }\n"})
        self.assertIn("    cmd/weird  -> wire\n", self.arrows().stdout)

    def test_an_arrow_that_is_not_in_the_list(self):
        self.make({"src/wire/wire.c": "int inner_one(void);\nint wire_one(void);\nint wire_one(void) { return inner_one(); }\n"})
        self.assert_fails(self.arrows(), "wire may not use inner (cmake/rooms.list): src/wire/wire.c uses inner_one of "
                                         "src/top/inner/inner.c")

    def test_a_circle_of_rooms(self):
        self.make({"src/base/base.c": "int wire_private(void);\nint base_one(void);\nint base_one(void) { return wire_private(); }\n"})
        self.assert_fails(self.arrows(), "base, wire are a circle of rooms",
                          "base uses wire: src/base/base.c needs wire_private of src/wire/wire.c",
                          "wire uses base: src/wire/wire.c needs base_one of src/base/base.c")

    def ring(self, count, folder):
        return {f"{folder}/ring{i}.c": f"int ring{(i + 1) % count}(void);\nint ring{i}(void);\n"
                                       f"int ring{i}(void) {{ return ring{(i + 1) % count}(); }}\n" for i in range(count)}

    def test_a_circle_of_four_files_is_allowed(self):
        self.make(self.ring(4, "src/wire"))
        self.assertEqual(self.arrows().returncode, 0)

    def test_a_circle_of_five_files(self):
        self.make(self.ring(5, "src/wire"))
        self.assert_fails(self.arrows(), "5 files need each other in a circle",
                          "src/wire/ring0.c uses ring1 of src/wire/ring1.c", "    src/wire/ring4.c")

    def test_a_circle_of_five_files_outside_of_rooms(self):
        self.make(self.ring(5, "plugin/ring"))
        self.assert_fails(self.arrows(), "5 files need each other in a circle", "    plugin/ring/ring4.c")

    def test_two_definitions_of_a_symbol(self):
        self.make({"src/top/inner/again.c": "int wire_one(void);\nint wire_one(void) { return 9; }\n"})
        self.assert_fails(self.arrows(), "wire_one is defined twice: in ", "src/top/inner/again.c")

    def test_a_file_outside_of_all_rooms(self):
        self.make({"src/attic/box.c": "int box(void);\nint box(void) { return 1; }\n"})
        self.assert_fails(self.arrows(), "src/attic/box.c is in no room of cmake/rooms.list")

    def test_a_room_without_files(self):
        self.make(rooms=LIST + "cellar src/cellar - below:\n")
        self.assert_fails(self.arrows(), "cmake/rooms.list has the room cellar, the build does not")

    def test_a_list_with_an_arrow_upwards(self):
        self.make(rooms=LIST.replace("below:\n", "below: wire\n", 1))
        self.assert_fails(self.arrows(), "base may use wire, which does not stand above it")

    def test_an_object_file_that_is_missing(self):
        self.make()
        (self.root / "build/CMakeFiles/weir_wire.dir/wire.c.o").unlink()
        self.assert_fails(self.arrows(), "wire.c.o has not been made")

    def test_a_picture_that_is_out_of_date(self):
        self.make(picture=" 1  base\n")
        self.assert_fails(self.arrows(), "HACKING.md shows other rooms and arrows")
        self.assertEqual(self.arrows("--write").returncode, 0)
        self.assertEqual((self.root / "HACKING.md").read_text(), guide(PICTURE))


class Includes(Tree):
    def includes(self, changes):
        self.make(changes)
        return self.run_tool(TOOLS / "includes", "--root", self.root)

    def test_a_tree_in_order(self):
        self.assertEqual(self.includes({}).returncode, 0)

    def test_a_private_header_of_a_room_below(self):
        self.assert_fails(self.includes({"src/top/a.h": '#include "wire/bytes.h"\n'}),
                          "src/top/a.h:1: wire/bytes.h is private to the room wire; its public header is wire/wire.h")

    def test_a_room_that_is_not_below(self):
        self.assert_fails(self.includes({"src/wire/a.h": '#include "top/inner/inner.h"\n'}),
                          "src/wire/a.h:1: the room wire may not use inner")

    def test_the_room_whose_folder_is_around(self):
        self.assert_fails(self.includes({"src/top/top.h": "", "src/top/inner/a.h": '#include "top/top.h"\n'}),
                          "src/top/inner/a.h:1: the room inner may not use top")

    def test_a_header_that_is_named_from_elsewhere(self):
        self.assert_fails(self.includes({"src/wire/a.h": '#include "bytes.h"\n'}), '"bytes.h" belongs neither to a room nor')


class Ideas(Tree):
    def ideas(self, text):
        return self.run_tool(TOOLS / "ideas", self.write("a.c", text))

    def test_an_idea(self):
        self.assertEqual(self.ideas("/* SPDX-License-Identifier: Apache-2.0\n *\n * Reads what is there. */\n").returncode, 0)

    def test_the_licence_alone(self):
        self.assert_fails(self.ideas('/* SPDX-License-Identifier: Apache-2.0 */\n#include "a.h"\n\n/* One thing. */\n'),
                          "a.c: does not open with the SPDX line and its idea")

    def test_a_comment_without_a_sentence(self):
        self.assert_fails(self.ideas("/* SPDX-License-Identifier: Apache-2.0\n *\n * Things\n */\n"), "a.c: says no sentence")


class Pure(Tree):
    def pure(self, text):
        source, made, archive = self.write("a.c", text), self.root / "a.o", self.root / "liba.a"
        subprocess.run(["cc", "-O2", "-D_FORTIFY_SOURCE=2", "-c", source, "-o", made], check=True)
        subprocess.run(["ar", "rcs", archive, made], check=True)
        return self.run_tool(HERE / "pure.py", archive)

    def test_computing_is_allowed(self):
        done = self.pure("#include <string.h>\n#include <stdlib.h>\nint f(const char *s) { return (int)strlen(s); }\n"
                         "void *g(void) { return malloc(4); }\nint read_it(int);\nint read_it(int n) { return n; }\n")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_what_the_archive_defines_itself_is_its_own(self):
        self.assertEqual(self.pure("long send(int n);\nlong send(int n) { return n; }\n"
                                   "long f(void);\nlong f(void) { return send(1); }\n").returncode, 0)

    def test_each_forbidden_need(self):
        for symbol in ("uv_run", "socket", "connect", "send", "recv", "read", "write", "poll", "epoll_wait", "getaddrinfo",
                       "SSL_read", "EVP_DigestInit_ex", "SHA256", "SHA256_Init", "RAND_bytes", "BIO_new", "pthread_create",
                       "sem_wait", "dlopen", "fopen", "fopen64", "__read_chk", "__fprintf_chk", "__isoc99_fscanf", "printf",
                       "stat64", "posix_spawnp", "nanosleep", "_ZNSt6thread4joinEv"):
            with self.subTest(symbol):
                done = self.pure(f'extern void needed(void) __asm__("{symbol}");\nvoid f(void);\nvoid f(void) {{ needed(); }}\n')
                self.assert_fails(done, f"a.o needs {symbol} (")

    def test_a_fortified_read(self):
        self.assert_fails(self.pure("#include <unistd.h>\nchar room[8];\nlong f(int fd, unsigned long n) { return read(fd, room, n); }\n"),
                          "a.o needs __read_chk (descriptors")


if __name__ == "__main__":
    unittest.main()
