# SPDX-License-Identifier: Apache-2.0
"""Documents whose examples are tested. A comment on the line before a fenced block says what a test does with it:

    <!-- tested -->          console: its lines that begin with "$ " are run, in order, and must succeed;
                             sql: its statements are run through the server that was started before, as root
    <!-- tested: server -->  console: as above, but the last line starts a server, which must come up; it gets free
                             ports and a data directory of the test's, and is stopped at the end of the document
    <!-- file: PATH -->      any block: is written to PATH

Everything happens in one scratch folder per document, which has the tree's bin, include and a copy of its plugins.
Readers do not see the comments."""
import re

from .paths import ROOT

BLOCK = re.compile(r"^<!-- (?P<mark>tested|tested: server|file: (?P<path>\S+)) -->\n+```(?P<language>\w+)\n(?P<text>.*?)^```$",
                   re.MULTILINE | re.DOTALL)

# What documents may name of the tree: paths below these, without place holders such as ROOM.
TOP = "src|include|cmd|plugin|tests|tools|docs|bench|cmake"
NAMED = re.compile(rf"(?<![\w./-])(?:{TOP})/[\w./-]*\w")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def blocks(document):
    """The marked blocks of a document: (mark, path, language, text) in order."""
    return [(m["mark"], m["path"], m["language"], m["text"]) for m in BLOCK.finditer((ROOT / document).read_text())]


def commands(text):
    """The command lines of a console block; a line that ends in a backslash goes on."""
    lines = text.replace("\\\n", " ").splitlines()
    return [line[2:] for line in lines if line.startswith("$ ")]


def named_paths(document):
    """The paths of the tree that a document names or links to, as they stand there."""
    text = (ROOT / document).read_text()
    folder = (ROOT / document).parent
    found = {path: ROOT / path for path in NAMED.findall(text) if not re.search(r"[A-Z]{3,}", path)}
    found.update({link: folder / link for link in LINK.findall(text)})
    return found
