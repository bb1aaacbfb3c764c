/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions of toml.h, in C++, to be included by exactly one .cc file of a program or plugin.
 *
 * toml++ parses; its tree is copied once into plain nodes, in the order of the file, and dropped.
 * So the accessors cannot throw; the two functions that can (parsing, copying) end in a catch. */
#ifndef WEIR_TOML_READER_H
#define WEIR_TOML_READER_H

#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <new>
#include <sstream>
#include <string>
#include <vector>
#include <weir/toml.h>

struct toml_node {
    enum toml_type type = TOML_TABLE;
    unsigned line = 1;
    std::string key;
    std::string text;
    int64_t integer = 0;
    double real = 0;
    bool boolean = false;
    std::vector<toml_node> members;
};

struct toml_document {
    std::string name;
    toml_node root;
};

namespace {

struct too_deep {
    unsigned line;
};

unsigned line_of(const toml::source_region &region, unsigned otherwise)
{
    return region.begin.line ? static_cast<unsigned>(region.begin.line) : otherwise;
}

template <typename Value> std::string as_text(const Value &value)
{
    std::ostringstream out;
    out << value;
    return out.str();
}

/* A value that is neither table nor list. */
void copy_scalar(const toml::node &from, toml_node &to)
{
    if (auto *string = from.as_string()) {
        to.type = TOML_STRING;
        to.text = string->get();
    } else if (auto *integer = from.as_integer()) {
        to.type = TOML_INTEGER;
        to.integer = integer->get();
        to.real = static_cast<double>(integer->get());
        to.text = std::to_string(integer->get());
    } else if (auto *real = from.as_floating_point()) {
        to.type = TOML_FLOAT;
        to.real = real->get();
        to.text = as_text(*real);
    } else if (auto *boolean = from.as_boolean()) {
        to.type = TOML_BOOLEAN;
        to.boolean = boolean->get();
        to.text = boolean->get() ? "true" : "false";
    } else {
        to.type = TOML_DATE;
        from.visit([&to](auto &value) { to.text = as_text(value); });
    }
}

void copy(const toml::node &from, toml_node &to, unsigned line, int depth)
{
    to.line = line;
    if (depth > TOML_DEPTH)
        throw too_deep{line};
    if (auto *table = from.as_table()) {
        to.type = TOML_TABLE;
        std::vector<std::pair<toml::source_position, toml_node>> members;
        for (auto &&[key, value] : *table) {
            members.emplace_back(key.source().begin, toml_node());
            members.back().second.key = std::string(key.str());
            copy(value, members.back().second, line_of(key.source(), line), depth + 1);
        }
        std::stable_sort(members.begin(), members.end(),
                         [](const auto &a, const auto &b) { return a.first < b.first; });
        for (auto &member : members)
            to.members.push_back(std::move(member.second));
    } else if (auto *array = from.as_array()) {
        to.type = TOML_ARRAY;
        for (auto &&value : *array) {
            to.members.emplace_back();
            copy(value, to.members.back(), line_of(value.source(), line), depth + 1);
        }
    } else {
        copy_scalar(from, to);
    }
}

} // namespace

struct toml_document *toml_parse(const char *text, size_t size, const char *name,
                                 struct error *error)
{
    try {
        auto document = std::make_unique<toml_document>();
        document->name = name;
        if (size > TOML_FILE_BYTES) {
            error_set(error, "%s: longer than %u bytes, the limit of a TOML file here", name,
                      TOML_FILE_BYTES);
            return nullptr;
        }
        toml::table table = toml::parse(std::string_view(text, size));
        copy(table, document->root, 1, 0);
        return document.release();
    } catch (const toml::parse_error &problem) {
        std::string what(problem.description());
        error_set(error, "%s:%u: %s", name, line_of(problem.source(), 1), what.c_str());
    } catch (const too_deep &problem) {
        error_set(error, "%s:%u: more than %d tables and lists inside each other", name,
                  problem.line, TOML_DEPTH);
    } catch (const std::exception &problem) {
        error_set(error, "%s: %s", name, problem.what());
    }
    return nullptr;
}

struct toml_document *toml_read(const char *path, struct error *error)
{
    FILE *file = fopen(path, "rbe");
    if (!file) {
        error_set(error, "%s: %s", path, strerror(errno));
        return nullptr;
    }
    struct toml_document *document = nullptr;
    try {
        std::string text;
        char block[65536];
        size_t size;
        while (text.size() <= TOML_FILE_BYTES && (size = fread(block, 1, sizeof block, file)) > 0)
            text.append(block, size);
        if (ferror(file))
            error_set(error, "%s: %s", path, strerror(errno));
        else
            document = toml_parse(text.data(), text.size(), path, error);
    } catch (const std::bad_alloc &) {
        error_set(error, "%s: not enough memory to read it", path);
    }
    fclose(file);
    return document;
}

void toml_free(struct toml_document *document)
{
    delete document;
}

const char *toml_name(const struct toml_document *document)
{
    return document->name.c_str();
}

const struct toml_node *toml_root(const struct toml_document *document)
{
    return &document->root;
}

enum toml_type toml_type(const struct toml_node *node)
{
    return node->type;
}

const char *toml_type_name(enum toml_type type)
{
    static const char *const names[] = {
#define X(enumerator, name) name,
        TOML_TYPES(X)
#undef X
    };
    return names[type];
}

unsigned toml_line(const struct toml_node *node)
{
    return node->line;
}

size_t toml_count(const struct toml_node *node)
{
    return node->members.size();
}

const struct toml_node *toml_at(const struct toml_node *node, size_t index)
{
    return index < node->members.size() ? &node->members[index] : nullptr;
}

const char *toml_key(const struct toml_node *node)
{
    return node->key.c_str();
}

const struct toml_node *toml_get(const struct toml_node *table, const char *key)
{
    for (const toml_node &member : table->members)
        if (table->type == TOML_TABLE && member.key == key)
            return &member;
    return nullptr;
}

const char *toml_text(const struct toml_node *node, size_t *size)
{
    if (size)
        *size = node->text.size();
    return node->text.c_str();
}

int64_t toml_integer(const struct toml_node *node)
{
    return node->integer;
}

double toml_float(const struct toml_node *node)
{
    return node->real;
}

bool toml_boolean(const struct toml_node *node)
{
    return node->boolean;
}

int toml_error(const struct toml_document *document, const struct toml_node *node,
               struct error *error, const char *format, ...)
{
    char message[ERROR_MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return error_set(error, "%s:%u: %s", document->name.c_str(), node->line, message);
}

#endif
