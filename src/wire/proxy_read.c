/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a PROXY header of either version, from as many bytes as are there: the first four decide
 * whether there is one, as for MariaDB. No packet of a client begins like that: its fourth byte would be a sequence
 * number that no login has. */
#include "wire/proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define TEXT_MAX    107 /* version 1 with its line end, by the specification */
#define FIXED_BYTES 16  /* version 2: signature, command, family, length */
#define CHECKSUM    0x03

static const uint8_t text_start[] = {'P', 'R', 'O', 'X', 'Y', ' '};
static const uint8_t binary_start[] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                       0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

static enum wire_proxy_step broken(struct wire_proxy_header *header, const char *why)
{
    header->broken = why;
    return WIRE_PROXY_BROKEN;
}

/* ---- Version 1: a line of text ---- */

/* The next word; false: there is none, or it does not end with the separator. */
static bool next_word(struct wire_reader *reader, char separator, char word[INET6_ADDRSTRLEN])
{
    const void *end = memchr(reader->pos, separator, wire_left(reader));
    const size_t size = end ? (size_t)((const uint8_t *)end - reader->pos) : 0;
    if (size == 0 || size >= INET6_ADDRSTRLEN)
        return false;
    memcpy(word, reader->pos, size);
    word[size] = 0;
    reader->pos += size + 1;
    return strlen(word) == size;
}

/* Decimal digits without anything around them. */
static bool read_port(const char *word, in_port_t *port)
{
    unsigned long value = 0;
    for (const char *c = word; *c; c++) {
        if (*c < '0' || *c > '9' || value > UINT16_MAX)
            return false;
        value = value * 10 + (unsigned long)(*c - '0');
    }
    *port = htons((uint16_t)value);
    return value <= UINT16_MAX;
}

static bool read_text_address(int family, const char *ip, const char *port,
                              struct sockaddr_storage *address)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    bool ok = family == AF_INET
                  ? inet_pton(AF_INET, ip, &v4.sin_addr) == 1 && read_port(port, &v4.sin_port)
                  : inet_pton(AF_INET6, ip, &v6.sin6_addr) == 1 && read_port(port, &v6.sin6_port);
    if (family == AF_INET)
        memcpy(address, &v4, sizeof v4);
    else
        memcpy(address, &v6, sizeof v6);
    return ok;
}

/* What follows "PROXY ", with the last word ended by a CR. */
static bool read_line(struct wire_reader line, struct wire_proxy_header *header)
{
    char family[INET6_ADDRSTRLEN], from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
    char from_port[INET6_ADDRSTRLEN], to_port[INET6_ADDRSTRLEN];
    static const uint8_t unknown[] = {'U', 'N', 'K', 'N', 'O', 'W', 'N'};
    if (wire_left(&line) > sizeof unknown && memcmp(line.pos, unknown, sizeof unknown) == 0 &&
        (line.pos[sizeof unknown] == ' ' || line.pos[sizeof unknown] == '\r')) {
        header->is_local = true; /* whatever else it says counts for nothing */
        return true;
    }
    if (!next_word(&line, ' ', family) || !next_word(&line, ' ', from) ||
        !next_word(&line, ' ', to) || !next_word(&line, ' ', from_port) ||
        !next_word(&line, '\r', to_port) || wire_left(&line))
        return false;
    const int kind = strcmp(family, "TCP4") == 0   ? AF_INET
                     : strcmp(family, "TCP6") == 0 ? AF_INET6
                                                   : AF_UNSPEC;
    header->has_address = true;
    return kind != AF_UNSPEC && read_text_address(kind, from, from_port, &header->source) &&
           read_text_address(kind, to, to_port, &header->destination);
}

static enum wire_proxy_step read_text(const uint8_t *bytes, size_t size,
                                      struct wire_proxy_header *header)
{
    const size_t known = size < sizeof text_start ? size : sizeof text_start;
    const size_t most = size < TEXT_MAX ? size : TEXT_MAX;
    if (memcmp(bytes, text_start, known) != 0)
        return broken(header, "its first word is not PROXY");
    const uint8_t *end = memchr(bytes, '\n', most);
    if (!end) {
        header->least = size + 1;
        return size >= TEXT_MAX ? broken(header, "its line does not end") : WIRE_PROXY_MORE;
    }
    header->size = header->least = (size_t)(end - bytes) + 1;
    if (header->size < sizeof text_start + 2 || end[-1] != '\r')
        return broken(header, "its line does not end with CR and LF");
    struct wire_reader line =
        wire_reader_of(bytes + sizeof text_start, (size_t)(end - bytes) - sizeof text_start);
    return read_line(line, header) ? WIRE_PROXY_WHOLE
                                   : broken(header, "its family, addresses or ports are none");
}

/* ---- Version 2: binary ---- */

bool wire_proxy_tlv_next(struct wire_reader *reader, uint8_t *type, struct wire_string *value)
{
    if (wire_left(reader) == 0 || reader->failed)
        return false;
    *type = wire_read_u8(reader);
    *value = wire_read_bytes(reader, wire_read_u16_network(reader));
    return !reader->failed;
}

bool wire_proxy_ssl_begin(struct wire_string ssl, struct wire_proxy_ssl *out)
{
    struct wire_reader reader = wire_reader_of(ssl.data, ssl.size);
    out->client = wire_read_u8(&reader);
    out->verify = wire_read_u32_network(&reader);
    out->tlvs = reader;
    return !reader.failed;
}

bool wire_proxy_tlv_find(struct wire_string tlvs, uint8_t type, struct wire_string *value)
{
    struct wire_reader reader = wire_reader_of(tlvs.data, tlvs.size);
    struct wire_proxy_ssl ssl;
    uint8_t found = 0;
    while (wire_proxy_tlv_next(&reader, &found, value)) {
        if (found == type)
            return true;
        if (found == WIRE_PROXY_SSL && type > WIRE_PROXY_SSL && type < 0x30 &&
            wire_proxy_ssl_begin(*value, &ssl))
            while (wire_proxy_tlv_next(&ssl.tlvs, &found, value))
                if (found == type)
                    return true;
    }
    return false;
}

/* CRC-32C, bit by bit: once a connection, and only of headers that have one. */
static uint32_t crc32c_add(uint32_t crc, uint8_t byte)
{
    crc ^= byte;
    for (int bit = 0; bit < 8; bit++)
        crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78U : 0);
    return crc;
}

/* Its own four bytes count as zeros. */
static bool checksum_fits(const uint8_t *bytes, size_t size, struct wire_string sum)
{
    const uint8_t *own = (const uint8_t *)sum.data;
    struct wire_reader reader = wire_reader_of(sum.data, sum.size);
    const uint32_t said = wire_read_u32_network(&reader);
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++)
        crc = crc32c_add(crc, bytes + i >= own && bytes + i < own + 4 ? 0 : bytes[i]);
    return sum.size == 4 && (crc ^ UINT32_MAX) == said;
}

static enum wire_proxy_step check_tlvs(const uint8_t *bytes, struct wire_proxy_header *header)
{
    struct wire_reader reader = wire_reader_of(header->tlvs.data, header->tlvs.size);
    struct wire_string value;
    uint8_t type = 0;
    bool has_sum = false;
    while (wire_proxy_tlv_next(&reader, &type, &value)) {
        if (type != CHECKSUM)
            continue;
        if (has_sum || !checksum_fits(bytes, header->size, value))
            return broken(header, "its checksum does not fit");
        has_sum = true;
    }
    return reader.failed ? broken(header, "one of its values is cut short") : WIRE_PROXY_WHOLE;
}

static void read_v4(struct wire_reader *reader, struct wire_proxy_header *header)
{
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET};
    struct wire_string ips = wire_read_bytes(reader, 8), ports = wire_read_bytes(reader, 4);
    if (reader->failed)
        return;
    memcpy(&from.sin_addr, ips.data, 4);
    memcpy(&to.sin_addr, ips.data + 4, 4);
    memcpy(&from.sin_port, ports.data, 2);
    memcpy(&to.sin_port, ports.data + 2, 2);
    memcpy(&header->source, &from, sizeof from);
    memcpy(&header->destination, &to, sizeof to);
}

static void read_v6(struct wire_reader *reader, struct wire_proxy_header *header)
{
    struct sockaddr_in6 from = {.sin6_family = AF_INET6}, to = {.sin6_family = AF_INET6};
    struct wire_string ips = wire_read_bytes(reader, 32), ports = wire_read_bytes(reader, 4);
    if (reader->failed)
        return;
    memcpy(&from.sin6_addr, ips.data, 16);
    memcpy(&to.sin6_addr, ips.data + 16, 16);
    memcpy(&from.sin6_port, ports.data, 2);
    memcpy(&to.sin6_port, ports.data + 2, 2);
    memcpy(&header->source, &from, sizeof from);
    memcpy(&header->destination, &to, sizeof to);
}

/* The addresses of a PROXY command, and the TLVs after them. */
static enum wire_proxy_step read_addresses(const uint8_t *bytes, uint8_t family,
                                           struct wire_reader reader,
                                           struct wire_proxy_header *header)
{
    enum { UNSPECIFIED = 0x00, TCP4 = 0x11, TCP6 = 0x21, UNIX_STREAM = 0x31, UNIX_BYTES = 216 };
    header->has_address = family != UNSPECIFIED;
    switch (family) {
    case UNSPECIFIED: /* a client, and the balancer cannot say from where */
        break;
    case TCP4:
        read_v4(&reader, header);
        break;
    case TCP6:
        read_v6(&reader, header);
        break;
    case UNIX_STREAM:
        wire_skip(&reader, UNIX_BYTES);
        header->source.ss_family = header->destination.ss_family = AF_UNIX;
        break;
    default:
        return broken(header, "its family is no stream of IPv4, IPv6 or Unix");
    }
    if (reader.failed)
        return broken(header, "its addresses are cut short");
    header->tlvs = wire_read_rest(&reader);
    return check_tlvs(bytes, header);
}

static enum wire_proxy_step read_binary(const uint8_t *bytes, size_t size,
                                        struct wire_proxy_header *header)
{
    enum { LOCAL = 0x20, PROXY = 0x21 };
    const size_t known = size < sizeof binary_start ? size : sizeof binary_start;
    if (memcmp(bytes, binary_start, known) != 0)
        return broken(header, "its signature is not complete");
    header->least = FIXED_BYTES;
    if (size < FIXED_BYTES)
        return WIRE_PROXY_MORE;
    struct wire_reader reader = wire_reader_of(bytes + sizeof binary_start, 4);
    const uint8_t command = wire_read_u8(&reader), family = wire_read_u8(&reader);
    header->size = header->least = FIXED_BYTES + wire_read_u16_network(&reader);
    if (command != LOCAL && command != PROXY)
        return broken(header, "its version or command is unknown");
    if (header->size > WIRE_PROXY_MAX_BYTES)
        return broken(header, "it is too long");
    if (size < header->size)
        return WIRE_PROXY_MORE;
    header->is_local = command == LOCAL; /* what follows counts for nothing then */
    return header->is_local
               ? WIRE_PROXY_WHOLE
               : read_addresses(bytes, family,
                                wire_reader_of(bytes + FIXED_BYTES, header->size - FIXED_BYTES),
                                header);
}

enum wire_proxy_step wire_decode_proxy_header(const uint8_t *bytes, size_t size,
                                              struct wire_proxy_header *header)
{
    const size_t known = size < WIRE_PROXY_TELLING_BYTES ? size : WIRE_PROXY_TELLING_BYTES;
    *header = (struct wire_proxy_header){.least = WIRE_PROXY_TELLING_BYTES};
    const bool is_text = memcmp(bytes, text_start, known) == 0;
    if (!is_text && memcmp(bytes, binary_start, known) != 0)
        return WIRE_PROXY_NONE;
    if (known < WIRE_PROXY_TELLING_BYTES)
        return WIRE_PROXY_MORE;
    return is_text ? read_text(bytes, size, header) : read_binary(bytes, size, header);
}
