/* SPDX-License-Identifier: Apache-2.0
 *
 * What `pluginpkg -new` writes: a plugin that refuses statements by their first word, its manifest, a
 * Makefile, and a conversation that is replayed into it as its test. A test builds it and runs that. */
#include <stddef.h>

#include "plugin/package/scaffold.h"

/* clang-format off */
static const char manifest[] =
    "name = \"@NAME@\"\n"
    "kind = \"Audit\"\n"
    "description = \"refuses statements that begin with a word\"\n"
    "version = \"1\"\n"
    "license = \"\"\n"
    "require_version = \"0.1\"\n"
    "onInit = \"OnInit\"\n"
    "onFlush = \"OnFlush\"\n"
    "export = [\n"
    "    {extPoint=\"OnGeneralEvent\", impl=\"OnGeneralEvent\"},\n"
    "]\n"
    "\n"
    "[[sysVars]]\n"
    "name = \"@NAME@_word\"\n"
    "scope = \"Global\"\n"
    "type = \"str\"\n"
    "value = \"drop\"\n"
    "max = 64\n"
    "description = \"statements that begin with this word are refused\"\n";

static const char source[] =
    "/* @NAME@: refuses statements that begin with a word, which is a setting. Replace it by yo"
    "ur own. */\n"
    "#include <stdatomic.h>\n"
    "#include <strings.h>\n"
    "#include <weir/plugin.h>\n"
    "\n"
    "static atomic_ulong refused; /* events come on several threads */\n"
    "\n"
    "weir_verdict OnInit(const weir_manifest *manifest)\n"
    "{\n"
    "    weir_log(WEIR_LOG_INFO, \"%s %s is ready\", manifest->name, manifest->version);\n"
    "    return WEIR_OK;\n"
    "}\n"
    "\n"
    "weir_verdict OnFlush(const weir_manifest *manifest)\n"
    "{\n"
    "    weir_log(WEIR_LOG_INFO, \"%s has refused %lu statements\", manifest->name, atomic_load"
    "(&refused));\n"
    "    return WEIR_OK;\n"
    "}\n"
    "\n"
    "weir_verdict OnGeneralEvent(weir_session *session, weir_general_event event, const char *c"
    "ommand)\n"
    "{\n"
    "    weir_string sql = weir_sql(session), word = weir_text_of(@UPPER@_WORD);\n"
    "    if (event != WEIR_STARTING || word.size == 0 || sql.size < word.size ||\n"
    "        strncasecmp(sql.data, word.data, word.size) != 0)\n"
    "        return WEIR_OK;\n"
    "    atomic_fetch_add(&refused, 1);\n"
    "    return weir_refuse(session, 1142, \"42000\", \"%s is not allowed here (%s)\", word.dat"
    "a, command);\n"
    "}\n";

static const char makefile[] =
    "# make: @NAME@-1.so. make check: replays the conversations of tests into it, without a ser"
    "ver.\n"
    "# make asan: the same with AddressSanitizer.\n"
    "PLUGINPKG ?= pluginpkg\n"
    "WEIR_REPLAY ?= weir-replay\n"
    "PLUGIN = @NAME@-1.so\n"
    "TESTS = $(wildcard tests/*.jsonl)\n"
    "\n"
    "all: $(PLUGIN)\n"
    "\n"
    "$(PLUGIN): manifest.toml $(wildcard *.c *.h)\n"
    "\t$(PLUGINPKG) -pkg-dir . -out-dir .\n"
    "\n"
    ".PHONY: all check asan clean\n"
    "check: $(PLUGIN)\n"
    "\t@for test in $(TESTS); do \\\n"
    "\t    $(WEIR_REPLAY) ./$(PLUGIN) $$test >$$test.got && diff -u $${test%.jsonl}.expected $$"
    "test.got || exit 1; \\\n"
    "\t    rm -f $$test.got; echo \"$$test: as expected\"; done\n"
    "\n"
    "asan: clean\n"
    "\tCFLAGS=\"-g -O1 -fsanitize=address,undefined -fno-omit-frame-pointer\" LDFLAGS=\"-fsanit"
    "ize=address,undefined\" \\\n"
    "\t    $(PLUGINPKG) -pkg-dir . -out-dir .\n"
    "\tASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=\"$$($(CC) -print-file-name=libasan.so)"
    " $$($(CC) -print-file-name=libubsan.so)\" \\\n"
    "\t    $(WEIR_REPLAY) ./$(PLUGIN) $(TESTS)\n"
    "\n"
    "clean:\n"
    "\trm -f $(PLUGIN) tests/*.got\n";

/* A login, a SELECT and a DROP. */
static const char recording[] =
    "{\"dir\": \"s2c\", \"hex\": \"530000000a31302e31312e362d4d61726961444200070000006162636465"
    "666768000da22d02000a001500000000000000000000696a6b6c6d6e6f7071727374006d7973716c5f6e617469"
    "76655f70617373776f726400\"}\n"
    "{\"dir\": \"c2s\", \"hex\": \"540000010da20a00000000012d0000000000000000000000000000000000"
    "00000000000061707000142a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a73686f70006d7973716c5f6e6174"
    "6976655f70617373776f726400\"}\n"
    "{\"dir\": \"s2c\", \"hex\": \"0700000200000002000000\"}\n"
    "{\"dir\": \"c2s\", \"hex\": \"090000000373656c6563742031\"}\n"
    "{\"dir\": \"s2c\", \"hex\": \"010000010117000002036465660000000131000c3f000100000003810000"
    "000005000003fe0000020002000004013105000005fe00000200\"}\n"
    "{\"dir\": \"c2s\", \"hex\": \"120000000364726f70207461626c65206f7264657273\"}\n"
    "{\"dir\": \"s2c\", \"hex\": \"0700000100000002000000\"}\n"
    "{\"dir\": \"c2s\", \"hex\": \"0100000001\"}\n";

static const char expected[] =
    "login app: OK\n"
    "Query select 1: 1 row\n"
    "Query drop table orders: ERROR 1142 (42000): drop is not allowed here (Query)\n"
    "Quit\n"
    "end: the client said goodbye\n";
/* clang-format on */

const struct scaffold_file scaffold_files[] = {
    {"manifest.toml", manifest},
    {"@NAME@.c", source},
    {"Makefile", makefile},
    {"tests", NULL},
    {"tests/drop.jsonl", recording},
    {"tests/drop.expected", expected},
    {NULL, NULL},
};
