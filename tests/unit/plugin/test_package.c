/* SPDX-License-Identifier: Apache-2.0
 *
 * Packaging: what goes in, what comes out, and that a failure leaves nothing. */
#include "workshop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/package/object.h"
#include "plugin/package/process.h"

#define MANIFEST(more) "name = \"p\"\nkind = \"Audit\"\nversion = \"1\"\n" more
#define INIT           "onInit = \"OnInit\"\n" /* line 4 */
#define SOURCE                                                                                     \
    "#include <weir/plugin.h>\n"                                                                   \
    "weir_verdict OnInit(const weir_manifest *manifest) { (void)manifest; return WEIR_OK; }\n"

/* Packages p with this manifest and p.c (NULL: none); the message is "" when it worked. */
static struct error package(const struct workshop *workshop, const char *manifest,
                            const char *source)
{
    struct error error = {""};
    workshop_write(workshop, "p/manifest.toml", manifest);
    if (source)
        workshop_write(workshop, "p/p.c", source);
    int status = workshop_package(workshop, "p", &error);
    assert_int_equal(status, *error.message ? -1 : 0);
    return error;
}

/* Nothing in the output folder, and nothing left in the temporary one. */
static void assert_nothing_left(const struct workshop *workshop)
{
    assert_int_equal(workshop_count(workshop, "out"), 0);
    assert_int_equal(workshop_count(workshop, "tmp"), 0);
}

static int open_with_tmp(void **state)
{
    int status = workshop_open(state);
    mkdir(workshop_path(*state, "tmp"), 0777);
    return status || setenv("TMPDIR", workshop_path(*state, "tmp"), 1);
}

static int close_with_tmp(void **state)
{
    static const char *const variables[] = {"TMPDIR", "CC", "CFLAGS", "SOURCE_DATE_EPOCH",
                                            "PKG_CONFIG_PATH"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
    return workshop_close(state);
}

/* Runs a command of up to seven words; what it prints is appended to output. */
static int run(struct strbuf *output, const char *const *words)
{
    struct arguments command = {0};
    for (; *words; words++)
        arguments_add(&command, "%s", *words);
    int status = process_run(&command, output, NULL);
    arguments_release(&command);
    return status;
}

static void assert_exports_only_the_manifest(const struct workshop *workshop)
{
    struct strbuf symbols = STRBUF_INIT;
    run(&symbols, (const char *const[]){"nm", "-D", "--defined-only", "-j",
                                        workshop_path(workshop, "out/p-1.so"), NULL});
    assert_string_equal(symbols.data, "weir_plugin_manifest\n");
    strbuf_release(&symbols);
}

/* The name of the temporary folder was in the debug information. */
static void the_same_sources_give_the_same_bytes(void **state)
{
    struct workshop *workshop = *state;
    setenv("SOURCE_DATE_EPOCH", "86400", 1);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(package(workshop, MANIFEST(INIT), SOURCE).message, "");
        assert_int_equal(
            rename(workshop_path(workshop, "out/p-1.so"), workshop_path(workshop, "out/%zu", i)),
            0);
    }
    assert_int_equal(run(NULL, (const char *const[]){"cmp", workshop_path(workshop, "out/0"),
                                                     workshop_path(workshop, "out/1"), NULL}),
                     0);
}

static void a_plugin_exports_one_symbol_and_its_manifest(void **state)
{
    struct workshop *workshop = *state;
    setenv("SOURCE_DATE_EPOCH", "86400", 1);
    assert_string_equal(package(workshop, MANIFEST(INIT), SOURCE).message, "");
    assert_int_equal(workshop_count(workshop, "out"), 1);
    assert_int_equal(workshop_count(workshop, "tmp"), 0);
    const char *library = workshop_path(workshop, "out/p-1.so");
    struct strbuf json = STRBUF_INIT;
    assert_exports_only_the_manifest(workshop);
    assert_int_equal(plugin_inspect(library, &json, NULL), 0);
    assert_string_equal(json.data, "{\n"
                                   "    \"api_version\": 1,\n"
                                   "    \"buildTime\": \"1970-01-02T00:00:00.000000Z\",\n"
                                   "    \"kind\": \"Audit\",\n"
                                   "    \"name\": \"p\",\n"
                                   "    \"onInit\": \"OnInit\",\n"
                                   "    \"on_failure\": \"refuse\",\n"
                                   "    \"version\": \"1\"\n"
                                   "}\n");
    struct stat status;
    assert_int_equal(stat(library, &status), 0);
    assert_int_equal(status.st_mode & 0444, 0444);
    strbuf_release(&json);
}

static void a_wrong_manifest_leaves_nothing(void **state)
{
    struct workshop *workshop = *state;
    char expected[1024];
    struct error error = package(workshop, MANIFEST("colour = 1\n"), SOURCE);
    snprintf(expected, sizeof expected,
             "%s:4: key \"colour\": unknown; pluginpkg --help lists the keys of a manifest",
             workshop_path(workshop, "p/manifest.toml"));
    assert_string_equal(error.message, expected);
    workshop_write(workshop, "q/manifest.toml", MANIFEST(""));
    assert_int_equal(workshop_package(workshop, "q", &error), -1);
    snprintf(expected, sizeof expected,
             "%s:1: key \"name\": \"p\" differs from the name of its folder, \"q\"; rename one of "
             "them",
             workshop_path(workshop, "q/manifest.toml"));
    assert_string_equal(error.message, expected);
    assert_int_equal(workshop_package(workshop, "absent", &error), -1);
    snprintf(expected, sizeof expected, "-pkg-dir %s: No such file or directory",
             workshop_path(workshop, "absent"));
    assert_string_equal(error.message, expected);
    assert_nothing_left(workshop);
}

static void a_function_that_is_not_there_is_named(void **state)
{
    struct workshop *workshop = *state;
    static const struct {
        const char *more, *source, *message;
    } rows[] = {
        {"validate = \"Check\"\n", SOURCE,
         ":4: key \"validate\": function \"Check\" is not defined by the package's sources; define "
         "it "
         "as weir_verdict Check(const weir_manifest *manifest)"},
        {"export = [\n  {extPoint=\"OnParseEvent\", impl=\"Parse\"},\n]\n", SOURCE,
         ":5: key \"export\": function \"Parse\" is not defined by the package's sources; define "
         "it as "
         "weir_verdict Parse(weir_session *session, weir_parse_event event)"},
        {"onFlush = \"Mine\"\n",
         "static int Mine(void) { return 1; }\nint other(void);\n"
         "__attribute__((noinline)) int other(void) { return Mine(); }\n"
         "int (*keep)(void) = Mine;\n",
         ":4: key \"onFlush\": function \"Mine\" is static; define it as weir_verdict Mine(const "
         "weir_manifest *manifest)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char manifest[512], expected[1024];
        snprintf(manifest, sizeof manifest, MANIFEST("%s"), rows[i].more);
        snprintf(expected, sizeof expected, "%s%s", workshop_path(workshop, "p/manifest.toml"),
                 rows[i].message);
        assert_string_equal(package(workshop, manifest, rows[i].source).message, expected);
        assert_nothing_left(workshop);
    }
}

/* What the compiler prints on the way is its own. */
static void a_wrong_prototype_does_not_compile(void **state)
{
    struct workshop *workshop = *state;
    char expected[1024];
    struct error error =
        package(workshop, MANIFEST(INIT),
                "#include <weir/plugin.h>\nint OnInit(int number) { return number; }\n");
    snprintf(expected, sizeof expected, "%s: cc failed with exit status 1",
             workshop_path(workshop, "p/p.c"));
    assert_string_equal(error.message, expected);
    assert_nothing_left(workshop);
}

/* C's compilers let these pass with a warning at most. */
static void mistakes_that_crash_do_not_compile(void **state)
{
    struct workshop *workshop = *state;
    static const struct {
        const char *line, *word;
    } rows[] = {
        {"char *f(void) { return strdup(\"x\"); }\n", "implicit-function-declaration"},
        {"f(void) { return 1; }\n", "implicit-int"},
        {"char *f(void); char *f(void) { return 5; }\n", "int-conversion"},
        {"int f(long *a); int f(long *a) { int *b = a; return *b; }\n",
         "incompatible-pointer-types"},
        {"int f(void); int f(void) { }\n", "return-type"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char source[1000];
        snprintf(source, sizeof source, "%s%s", SOURCE, rows[i].line);
        struct error error = package(workshop, MANIFEST(INIT), source);
        if (!strstr(error.message, "p.c"))
            fail_msg("%s: %s", rows[i].word, error.message);
        assert_nothing_left(workshop);
    }
}

static void a_symbol_that_nobody_defines_does_not_link(void **state)
{
    struct workshop *workshop = *state;
    struct error error = package(workshop, MANIFEST(""),
                                 "int nobody(void);\nint f(void);\n"
                                 "int f(void) { return nobody(); }\n");
    assert_non_null(strstr(error.message, "linking "));
    assert_nothing_left(workshop);
}

static void a_failure_keeps_the_plugin_that_was_there(void **state)
{
    struct workshop *workshop = *state;
    assert_string_equal(package(workshop, MANIFEST(INIT), SOURCE).message, "");
    struct stat before, after;
    stat(workshop_path(workshop, "out/p-1.so"), &before);
    assert_string_not_equal(package(workshop, MANIFEST(INIT), "broken").message, "");
    assert_int_equal(workshop_count(workshop, "out"), 1);
    stat(workshop_path(workshop, "out/p-1.so"), &after);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(before.st_size, after.st_size);
    assert_string_equal(package(workshop, MANIFEST(INIT), SOURCE).message, "");
    stat(workshop_path(workshop, "out/p-1.so"), &after);
    assert_int_not_equal(before.st_ino, after.st_ino); /* a server that has it open is unharmed */
}

static void a_result_that_cannot_be_put_in_place_leaves_nothing(void **state)
{
    struct workshop *workshop = *state;
    char expected[512];
    workshop_write(workshop, "out/p-1.so/a", "a folder stands where the plugin should go");
    snprintf(expected, sizeof expected, "%s: Is a directory",
             workshop_path(workshop, "out/p-1.so"));
    assert_string_equal(package(workshop, MANIFEST(INIT), SOURCE).message, expected);
    assert_int_equal(workshop_count(workshop, "out"), 1);
    assert_int_equal(workshop_count(workshop, "tmp"), 0);
}

static void cxx_sources_need_no_extern_c(void **state)
{
    struct workshop *workshop = *state;
    workshop_write(workshop, "p/more.cpp",
                   "#include <weir/plugin.h>\n#include <string>\n"
                   "weir_verdict OnInit(const weir_manifest *m)\n"
                   "{ return std::string(m->name) == \"p\" ? WEIR_OK : WEIR_FAIL; }\n");
    assert_string_equal(package(workshop, MANIFEST(INIT), NULL).message, "");
    struct error error = {""};
    struct plugin_options options = {.directory = workshop_path(workshop, "out"), .load = "p-1"};
    struct plugin_registry *registry = plugin_registry_load(&options, &error);
    assert_string_equal(error.message, "");
    plugin_registry_shutdown(registry);
}

static void prebuilt_objects_and_archives_are_linked(void **state)
{
    struct workshop *workshop = *state;
    workshop_write(workshop, "p/src/one.c", SOURCE);
    workshop_write(workshop, "p/src/two.c",
                   "#include <weir/plugin.h>\n"
                   "weir_verdict Two(const weir_manifest *m)\n"
                   "{ (void)m; return WEIR_OK; }\n");
    static const char *const names[] = {"one", "two"};
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            run(NULL, (const char *const[]){"cc", "-fPIC", "-I", TEST_INCLUDE, "-c",
                                            workshop_path(workshop, "p/src/%s.c", names[i]), "-o",
                                            workshop_path(workshop, "p/%s.o", names[i]), NULL}),
            0);
    run(NULL, (const char *const[]){"ar", "rc", workshop_path(workshop, "p/two.a"),
                                    workshop_path(workshop, "p/two.o"), NULL});
    assert_string_equal(package(workshop,
                                MANIFEST(INIT "onShutdown = \"Two\"\n"
                                              "objects = [\"one.o\", \"two.a\"]\n"),
                                NULL)
                            .message,
                        "");
    /* The objects were not compiled with -fvisibility=hidden, and still nothing else is seen. */
    assert_exports_only_the_manifest(workshop);
    assert_int_equal(workshop_count(workshop, "out"), 1);
}

static void lists_of_files_and_libraries_are_checked(void **state)
{
    struct workshop *workshop = *state;
    static const struct {
        const char *more, *message;
    } rows[] = {
        {"sources = [\"p.c\",\n\"q.c\"]\n", ":5: key \"sources\": q.c: there is no such file"},
        {"sources = [\"p.s\"]\n", ":4: key \"sources\": p.s ends in none of .c .cc .cpp .cxx"},
        {"objects = [\"p.c\"]\n", ":4: key \"objects\": p.c ends in neither .o nor .a"},
        {"libraries = [\"-lm\",\n\"no-such-lib\"]\n",
         ":5: key \"libraries\": no-such-lib: pkg-config doesn't know it; is its -dev package "
         "installed?"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char manifest[512], expected[1024];
        snprintf(manifest, sizeof manifest, MANIFEST("%s"), rows[i].more);
        snprintf(expected, sizeof expected, "%s%s", workshop_path(workshop, "p/manifest.toml"),
                 rows[i].message);
        assert_string_equal(package(workshop, manifest, SOURCE).message, expected);
        assert_nothing_left(workshop);
    }
    assert_string_equal(
        package(workshop, MANIFEST("libraries = [\"-lm\", \"jansson\"]\n"), SOURCE).message, "");
}

static void a_package_without_sources_says_so(void **state)
{
    struct workshop *workshop = *state;
    char expected[512];
    snprintf(expected, sizeof expected,
             "%s: no sources; put *.c, *.cc, *.cpp or *.cxx files beside manifest.toml",
             workshop_path(workshop, "p"));
    assert_string_equal(package(workshop, MANIFEST(""), NULL).message, expected);
}

static void the_environment_chooses_compiler_and_options(void **state)
{
    struct workshop *workshop = *state;
    char expected[512];
    snprintf(expected, sizeof expected, "%s: /nonexistent/cc: No such file or directory",
             workshop_path(workshop, "p/p.c"));
    setenv("CC", "/nonexistent/cc -x", 1);
    assert_string_equal(package(workshop, MANIFEST(INIT), SOURCE).message, expected);
    setenv("CC", "cc", 1);
    setenv("CFLAGS", "'-DWORD=two words' -DOK", 1);
    assert_string_equal(package(workshop, MANIFEST(INIT),
                                "#define TEXT_(x) #x\n#define TEXT(x) TEXT_(x)\n#ifdef OK\n" SOURCE
                                "_Static_assert(sizeof TEXT(WORD) == 10, \"words\");\n#endif\n")
                            .message,
                        "");
    setenv("CFLAGS", "$(id)", 1);
    assert_string_equal(package(workshop, MANIFEST(INIT), SOURCE).message,
                        "CFLAGS=$(id): cannot be split into words; quote what is special in it");
}

/* Without a folder given, the header is where pkg-config says that weir's is. */
static void an_installed_header_is_found_by_pkg_config(void **state)
{
    struct workshop *workshop = *state;
    struct strbuf report = STRBUF_INIT;
    struct error error = {""};
    struct plugin_package_options options = {.folder = workshop_path(workshop, "p"),
                                             .output_folder = workshop_path(workshop, "out")};
    workshop_write(workshop, "p/manifest.toml", MANIFEST(INIT));
    workshop_write(workshop, "p/p.c", SOURCE);
    setenv("PKG_CONFIG_PATH", workshop->folder, 1);
    assert_int_equal(plugin_package(&options, &report, &error), -1);
    assert_string_equal(error.message,
                        "weir/plugin.h is neither in ../include beside this program nor known to "
                        "pkg-config: pkg-config failed with exit status 1");
    workshop_write(workshop, "weir.pc",
                   "Name: weir\nDescription: x\nVersion: 0\nCflags: -I" TEST_INCLUDE "\n");
    assert_int_equal(plugin_package(&options, &report, &error), 0);
    strbuf_release(&report);
}

/* The program itself: finds its header beside it, wherever it is called from, with one dash or two.
 */
static void the_program_runs_from_any_folder(void **state)
{
    struct workshop *workshop = *state;
    struct strbuf output = STRBUF_INIT;
    workshop_write(workshop, "p/manifest.toml", MANIFEST(INIT));
    workshop_write(workshop, "p/p.c", SOURCE);
    assert_int_equal(run(&output, (const char *const[]){"env", "-C", workshop_path(workshop, "p"),
                                                        TEST_PLUGINPKG, "--pkg-dir", ".",
                                                        "-out-dir=../out", NULL}),
                     0);
    char expected[1024];
    snprintf(expected, sizeof expected, "Package \"%s\" as plugin \"%s\" success.\nManifest:\n{\n",
             workshop_path(workshop, "p"), workshop_path(workshop, "out/p-1.so"));
    assert_memory_equal(output.data, expected, strlen(expected));
    assert_int_equal(
        run(&output, (const char *const[]){TEST_PLUGINPKG, "-inspect", TEST_PLUGINPKG, NULL}), -1);
    strbuf_release(&output);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_with_tmp, close_with_tmp)
    const struct CMUnitTest tests[] = {
        TEST(the_same_sources_give_the_same_bytes),
        TEST(a_plugin_exports_one_symbol_and_its_manifest),
        TEST(a_wrong_manifest_leaves_nothing),
        TEST(a_function_that_is_not_there_is_named),
        TEST(a_wrong_prototype_does_not_compile),
        TEST(mistakes_that_crash_do_not_compile),
        TEST(a_symbol_that_nobody_defines_does_not_link),
        TEST(a_failure_keeps_the_plugin_that_was_there),
        TEST(a_result_that_cannot_be_put_in_place_leaves_nothing),
        TEST(cxx_sources_need_no_extern_c),
        TEST(prebuilt_objects_and_archives_are_linked),
        TEST(lists_of_files_and_libraries_are_checked),
        TEST(a_package_without_sources_says_so),
        TEST(the_environment_chooses_compiler_and_options),
        TEST(an_installed_header_is_found_by_pkg_config),
        TEST(the_program_runs_from_any_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
