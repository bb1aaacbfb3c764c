/* SPDX-License-Identifier: Apache-2.0
 *
 * A file of rules, read with toml++. Every key that is not known is a mistake: a misspelled
 * condition would make a rule deny more, or less, than it says. Nothing that is thrown leaves this
 * file. */
#include "rules.h"

#include <toml++/toml.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <strings.h>

namespace {

struct wrong : std::runtime_error {
    unsigned line;
    wrong(const toml::node &node, const std::string &what)
        : std::runtime_error(what), line(node.source().begin.line)
    {
    }
};

char *copy(const std::string &text)
{
    char *made = strdup(text.c_str());
    if (!made)
        throw std::bad_alloc();
    return made;
}

template <typename Item> void *make(size_t count)
{
    void *made = calloc(count ? count : 1, sizeof(Item));
    if (!made)
        throw std::bad_alloc();
    return made;
}

std::string text_of(const toml::node &node, const std::string &key)
{
    const auto *text = node.as_string();
    if (!text)
        throw wrong(node, "\"" + key + "\" is no string");
    if (text->get().find('\0') != std::string::npos)
        throw wrong(node, "\"" + key + "\" has a NUL byte in it");
    return text->get();
}

bool bool_of(const toml::node &node, const std::string &key)
{
    const auto *value = node.as_boolean();
    if (!value)
        throw wrong(node, "\"" + key + "\" is neither true nor false");
    return value->get();
}

void only_false(const toml::node &node, const std::string &key)
{
    if (bool_of(node, key))
        throw wrong(node, "\"" + key + "\" can only be false");
}

const toml::array &list_of(const toml::node &node, const std::string &key)
{
    const auto *list = node.as_array();
    if (!list || list->empty())
        throw wrong(node, "\"" + key + "\" is no list of strings");
    return *list;
}

void read_list(const toml::node &node, const std::string &key, struct text_list &list)
{
    const toml::array &items = list_of(node, key);
    list.items = static_cast<char **>(make<char *>(items.size()));
    for (const toml::node &item : items)
        list.items[list.count++] = copy(text_of(item, key));
}

/* Schema and table: a pattern without a dot would fit no table. */
void check_tables(const toml::node &node, const struct text_list &list)
{
    for (size_t i = 0; i < list.count; i++) {
        if (!strchr(list.items[i], '.'))
            throw wrong(node, std::string("\"") + list.items[i] +
                                  "\" names no schema; write \"schema.table\" or \"*.table\"");
    }
}

uint32_t read_access(const toml::node &node)
{
    static const struct {
        const char *name;
        uint32_t bit;
    } rows[] = {{"read", WEIR_TABLE_READ}, {"write", WEIR_TABLE_WRITE}, {"ddl", WEIR_TABLE_DDL}};
    uint32_t access = 0;
    for (const toml::node &item : list_of(node, "access")) {
        std::string text = text_of(item, "access");
        uint32_t bit = 0;
        for (const auto &row : rows)
            bit |= text == row.name ? row.bit : 0;
        if (!bit)
            throw wrong(item, "\"" + text + "\" is no access; it is read, write or ddl");
        access |= bit;
    }
    return access;
}

void read_regex(const toml::node &node, struct rules &rules, struct rule &rule)
{
    char problem[PROBLEM_BYTES];
    if (!rules_compile(&rules, &rule, text_of(node, "regex").c_str(), problem))
        throw wrong(node, std::string("\"regex\": ") + problem);
}

uint64_t read_count(const toml::node &node, const std::string &key)
{
    const auto *value = node.as_integer();
    if (!value || value->get() < 1)
        throw wrong(node, "\"" + key + "\" is no number from 1 on");
    return static_cast<uint64_t>(value->get());
}

bool read_blind(const toml::node &node)
{
    std::string text = text_of(node, "blind");
    if (text != "pass" && text != "refuse")
        throw wrong(node, "\"blind\" is \"refuse\" or \"pass\"");
    return text == "pass";
}

/* True: the key is one of the lists. */
bool read_lists(const toml::node &node, const std::string &key, struct rule &rule)
{
#define X(member, name)                                                                            \
    if (key == (name)) {                                                                           \
        read_list(node, key, rule.member);                                                         \
        return true;                                                                               \
    }
    RULE_LISTS(X)
#undef X
    return false;
}

void read_key(const toml::node &node, const std::string &key, struct rules &rules,
              struct rule &rule)
{
    if (read_lists(node, key, rule)) {
        if (key == "tables")
            check_tables(node, rule.tables);
    } else if (key == "name") {
        rule.name = copy(text_of(node, key));
    } else if (key == "access") {
        rule.access = read_access(node);
    } else if (key == "regex") {
        read_regex(node, rules, rule);
    } else if (key == "statements_over") {
        rule.statements_over = read_count(node, key);
    } else if (key == "missing_where") {
        rule.missing_where = bool_of(node, key);
    } else if (key == "tables_known") {
        only_false(node, key);
        rule.tables_unknown = true;
    } else if (key == "digest_exact") {
        only_false(node, key);
        rule.digest_inexact = true;
    } else if (key == "log_only") {
        rule.log_only = bool_of(node, key);
    } else if (key == "blind") {
        rule.blind_passes = read_blind(node);
    } else {
        throw wrong(node, "a rule has no \"" + key + "\"");
    }
}

void read_rule(const toml::node &node, struct rules &rules)
{
    const auto *table = node.as_table();
    if (!table)
        throw wrong(node, "\"deny\" is no [[deny]]");
    struct rule &rule = rules.rules[rules.count++];
    rule.statements_over = WEIR_ABSENT;
    rule.line = node.source().begin.line;
    for (const auto &[key, value] : *table)
        read_key(value, std::string(key.str()), rules, rule);
    if (!rule.name || !*rule.name)
        throw wrong(node, "a rule has no \"name\"");
    if (rule.access && !rule.tables.count)
        throw wrong(node, "\"access\" without \"tables\"; for all of them write [\"*.*\"]");
    if (!rule.access)
        rule.access = WEIR_TABLE_READ | WEIR_TABLE_WRITE | WEIR_TABLE_DDL;
    for (size_t i = 0; i + 1 < rules.count; i++) {
        if (strcmp(rules.rules[i].name, rule.name) == 0)
            throw wrong(node, std::string("there are two rules of the name \"") + rule.name + "\"");
    }
}

enum firewall_mode mode_of(const toml::node &node)
{
    std::string text = text_of(node, "mode");
    for (int i = 0; i < FIREWALL_MODE_COUNT; i++) {
        if (strcasecmp(text.c_str(), firewall_mode_names[i]) == 0)
            return static_cast<enum firewall_mode>(i);
    }
    throw wrong(node, "\"" + text + "\" is no mode; it is OFF, RECORDING, DETECTING or PROTECTING");
}

void read_account(const toml::node &node, struct rules &rules)
{
    const auto *table = node.as_table();
    bool has_mode = false;
    if (!table)
        throw wrong(node, "\"account\" is no [[account]]");
    struct account_mode &mode = rules.modes[rules.mode_count++];
    for (const auto &[key, value] : *table) {
        if (key == "accounts")
            read_list(value, "accounts", mode.accounts);
        else if (key == "mode")
            mode.mode = mode_of(value);
        else
            throw wrong(value, "an account has no \"" + std::string(key.str()) + "\"");
        has_mode = has_mode || key == "mode";
    }
    if (!mode.accounts.count || !has_mode)
        throw wrong(node, "an account needs \"accounts\" and \"mode\"");
}

void read_top(const toml::node &node, const std::string &key, struct rules &rules)
{
    if (key == "unknown_accounts") {
        std::string text = text_of(node, key);
        if (text != "allow" && text != "refuse")
            throw wrong(node, "\"unknown_accounts\" is \"allow\" or \"refuse\"");
        rules.refuse_unknown_accounts = text == "refuse";
    } else if (key == "deny") {
        const toml::array &list = list_of(node, key);
        rules.rules = static_cast<struct rule *>(make<struct rule>(list.size()));
        for (const toml::node &item : list)
            read_rule(item, rules);
    } else if (key == "account") {
        const toml::array &list = list_of(node, key);
        rules.modes = static_cast<struct account_mode *>(make<struct account_mode>(list.size()));
        for (const toml::node &item : list)
            read_account(item, rules);
    } else {
        throw wrong(node, "there is no \"" + key + "\"");
    }
}

} // namespace

struct rules *rules_read(const char *path, char problem[PROBLEM_BYTES])
{
    struct rules *rules = nullptr;
    bool fine = false;
    try {
        toml::table file = toml::parse_file(path);
        rules = static_cast<struct rules *>(make<struct rules>(1));
        for (const auto &[key, value] : file)
            read_top(value, std::string(key.str()), *rules);
        if (!rules_prepare(rules))
            throw std::bad_alloc();
        fine = true;
    } catch (const wrong &error) {
        snprintf(problem, PROBLEM_BYTES, "%s:%u: %s", path, error.line, error.what());
    } catch (const toml::parse_error &error) {
        unsigned line = error.source().begin.line;
        if (line)
            snprintf(problem, PROBLEM_BYTES, "%s:%u: %s", path, line,
                     std::string(error.description()).c_str());
        else
            snprintf(problem, PROBLEM_BYTES, "%s: %s", path, strerror(errno));
    } catch (const std::exception &error) {
        snprintf(problem, PROBLEM_BYTES, "%s: %s", path, error.what());
    }
    if (fine)
        return rules;
    rules_free(rules);
    return nullptr;
}
