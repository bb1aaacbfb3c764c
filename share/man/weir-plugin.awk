# SPDX-License-Identifier: Apache-2.0
#
# weir-plugin(7) out of include/weir/plugin.h and include/weir/store.h, the one place where the ABI is described:
#
#     awk -v version=0.1.0 -f share/man/weir-plugin.awk include/weir/plugin.h include/weir/store.h
#
# Titles "/* ---- Facts ---- */" become sections; a comment is the text of what stands below it; lists of X-macros with a
# text for each name become lists. What is between host and plugin, and generated, is left out. Runs under any POSIX awk.

function roff(text)
{
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    sub(/^[.']/, "\\\\\\&&", text)
    return text
}

function say(line) { print line }

# ---- Text of comments ----

# One line of a comment, its indentation kept. A line that ends a paragraph is empty.
function text_line(line,    colon, tag)
{
    if (line ~ /^ *$/ || (in_list && line ~ /^[^ ]/)) {
        say(".PP")
        in_list = 0
    }
    if (line ~ /^ *$/)
        return
    if (line ~ /^[A-Z][A-Z ]+$/) {
        by_line = line == "CHANGES"
        say(".SS " roff(line))
    } else if (by_line) {
        sub(/^ +([0-9]+  )?/, "", line)
        say(roff(line))
        say(".br")
    } else if (line ~ /^ +- /) {
        sub(/^ +- /, "", line)
        say(".IP \\(bu 2")
        say(roff(line))
    } else if (line ~ /^ +[A-Za-z0-9]+  +[^ ]/ && line !~ /^      /) { # a name, and what it is
        sub(/^ +/, "", line)
        tag = line
        sub(/ .*/, "", tag)
        sub(/^[^ ]+ +/, "", line)
        in_list = 1
        say(".TP")
        say(".B " roff(tag))
        say(roff(line))
    } else if (line ~ /^ +[A-Z][A-Za-z, ]+: / && line !~ /^      /) { # an event or commands, and their facts
        sub(/^ +/, "", line)
        colon = index(line, ": ")
        in_list = 1
        say(".TP")
        say(".B " roff(substr(line, 1, colon - 1)))
        say(roff(substr(line, colon + 2)))
    } else {
        sub(/^ +/, "", line)
        say(roff(line))
    }
}

function text(    i, lines, count)
{
    by_line = in_list = 0
    sub(/^X\([a-z, ]*\)(: )?\n?/, "", comment)
    count = split(comment, lines, "\n")
    while (count > 0 && lines[count] ~ /^ *$/)
        count--
    for (i = 1; i <= count; i++)
        text_line(lines[i])
    comment = ""
}

# ---- Code ----

function code_block(    i, lines, count)
{
    count = split(code, lines, "\n")
    say(".PP")
    say(".EX")
    for (i = 1; i < count; i++)
        say(roff(lines[i]))
    say(".EE")
    code = ""
}

# What has been gathered: a comment and the code below it. Functions stand above their text, as in every manual.
function flush()
{
    if (code != "" && is_function) {
        code_block()
        say(".RS 4")
        text()
        say(".RE")
    } else {
        if (comment != "") {
            say(".PP")
            text()
        }
        if (code != "")
            code_block()
    }
    is_function = 0
}

function add_code(line, function_)
{
    if (code != "" && is_function != function_)
        flush()
    is_function = function_
    code = code line "\n"
}

# "static inline weir_string weir_user(const weir_session *session)" without what a reader does not need.
function add_function(prototype,    name)
{
    sub(/ *__attribute__.*/, "", prototype)
    sub(/^static inline /, "", prototype)
    gsub(/  +/, " ", prototype)
    name = prototype
    sub(/\(.*/, "", name)
    sub(/.*[ *]/, "", name)
    if (name !~ /^weir_/ || name in seen)
        return
    seen[name] = 1
    add_code(prototype ";", 1)
}

# ---- Lists of X-macros ----

# The entries of `#define NAME(X) X(a, 0, "text") ...`: with texts as tagged paragraphs, else as they are.
function list(body,    entry, first, value, rest, literal, what)
{
    gsub(/\/\*[^*]*\*\//, "", body)
    flush()
    while (match(body, /X\([A-Za-z_0-9]+, *[0-9]+U?,/)) {
        entry = substr(body, RSTART + 2, RLENGTH - 3)
        body = substr(body, RSTART + RLENGTH)
        first = entry
        sub(/,.*/, "", first)
        value = entry
        sub(/.*, */, "", value)
        what = ""
        rest = body
        while (match(rest, /^ *"([^"\\]|\\.)*"/)) {
            literal = substr(rest, RSTART, RLENGTH)
            rest = substr(rest, RLENGTH + 1)
            sub(/^ *"/, "", literal)
            sub(/"$/, "", literal)
            gsub(/\\"/, "\"", literal)
            what = what literal
        }
        say(".TP")
        if (first ~ /^[a-z]/)
            say(".BI weir_" roff(first) "( session )")
        else
            say(".B " roff(first))
        say(roff(what))
    }
}

BEGIN {
    say(".\\\" Made from weir/plugin.h and weir/store.h.")
    say(".TH weir\\-plugin 7 \"\" \"weir " version "\" \"weir\"")
    say(".nh")
    say(".ad l")
    say(".SH NAME")
    say("weir\\-plugin \\- the ABI of server plugins of weir")
    say(".SH SYNOPSIS")
    say(".B #include <weir/plugin.h>")
    say(".PP")
    say(".B pluginpkg \\-pkg\\-dir")
    say(".I DIR")
    say(".B \\-out\\-dir")
    say(".I DIR")
    say(".SH DESCRIPTION")
}

{ sub(/[ \t]+$/, "") }

# A header that a plugin includes besides.
FNR == 1 && NR > 1 {
    flush()
    is_hidden = 0
    say(".SH THE STORE")
    say(".B #include <weir/store.h>")
}

# A title of a section, with or without text below it.
/^\/\* ---- / {
    flush()
    title = $0
    sub(/^\/\* ---- /, "", title)
    sub(/ ----.*/, "", title)
    is_hidden = title == "The line between host and plugin"
    if (!is_hidden)
        say(".SH " roff(title))
    in_comment = $0 !~ /\*\/$/
    next
}

/^\/\*/ && !in_comment {
    if ($0 ~ /SPDX/) {
        in_comment = 1
        next
    }
    flush()
    line = $0
    sub(/^\/\* ?/, "", line)
    in_comment = line !~ /\*\/$/
    sub(/ *\*\/$/, "", line)
    comment = is_hidden ? "" : line "\n"
    next
}

in_comment {
    line = $0
    in_comment = line !~ /\*\/$/
    sub(/ *\*\/$/, "", line)
    sub(/^ ?\* ?/, "", line)
    # The idea of the file stands in NAME already.
    if (line !~ /^weir\/(plugin|store)\.h: /)
        comment = comment line "\n"
    if (!in_comment && is_hidden)
        comment = ""
    next
}

# A macro of more than one line: a list, or the making of something out of a list.
/^#define .*\\$/ || in_macro {
    line = $0
    in_macro = sub(/ *\\$/, "", line)
    macro = macro " " line
    if (!in_macro) {
        if (macro ~ /^ #define WEIR_[A-Z_]+\(X\)/ && !is_hidden)
            list(macro)
        macro = ""
    }
    next
}

/^#define WEIR_PARSE_EVENTS/ {
    list($0)
    next
}

# What is the compiler's business.
/^#ifdef WEIR_PLUGIN_PROTOTYPES/ { comment = "" }
/^#(if|ifdef|ifndef|endif|undef|include|define X|define WEIR_PLUGIN_H|define WEIR_STORE_H)/ || /^extern/ || /^}$/ && !in_block { next }
is_hidden { next }

/^#define / {
    add_code($0, 0)
    next
}

# Types, to the closing brace.
/^(typedef|enum|struct) / && !in_block {
    in_block = $0 ~ /\{/ && $0 !~ /\}/
    in_remark = $0 ~ /\/\*/ && $0 !~ /\*\// && !in_block
    if (code ~ /#define [^\n]*\n$/ && in_block)
        add_code("", 0)
    if ($0 !~ /^enum .*\(X\)/)
        add_code($0, 0)
    next
}
in_remark {
    add_code($0, 0)
    in_remark = $0 !~ /\*\//
    next
}
in_block {
    add_code($0, 0)
    in_block = $0 !~ /^}/
    next
}

# Functions: the prototype, up to the body or the semicolon.
/^static inline / { prototype = "" ; in_prototype = 1 }
in_prototype {
    line = $0
    sub(/^ +/, " ", line)
    if (line ~ /^\{/ || line ~ /;$/) {
        sub(/;$/, "", line)
        if (line !~ /^\{/)
            prototype = prototype line
        in_prototype = 0
        add_function(prototype)
    } else {
        prototype = prototype line
    }
    next
}

END {
    flush()
    say(".SH SEE ALSO")
    say(".BR pluginpkg (1),")
    say(".BR weir\\-replay (1),")
    say(".BR weir\\-server (1),")
    say(".BR weir (7)")
}
