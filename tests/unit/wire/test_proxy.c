/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading PROXY headers: those that HAProxy 2.6 has sent, and written ones. Each is read from every
 * number of its first bytes, which end with an allocation, so that a sanitizer sees any step too far. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/wire.h"

#define V2 "\r\n\r\n\0\r\nQUIT\n"

/* send-proxy-v2-ssl-cn with proxy-v2-options ssl,cert-cn,ssl-cipher,cert-sig,cert-key,authority,crc32c,
 * unique-id. */
static const char from_haproxy[] =
    V2 "\x21\x11\x00\x88\x7f\x00\x00\x01\x7f\x00\x00\x01\xe8\x78\x1b\xbe"
       "\x03\x00\x04\x52\xc5\xbc\x2e"
       "\x02\x00\x0e"
       "db.example.com"
       "\x05\x00\x12"
       "7F000001:E878_0001"
       "\x20\x00\x4c\x07\x00\x00\x00\x00"
       "\x21\x00\x07"
       "TLSv1.3"
       "\x22\x00\x0a"
       "app-client"
       "\x25\x00\x07"
       "RSA2048"
       "\x24\x00\x0a"
       "RSA-SHA256"
       "\x23\x00\x16"
       "TLS_AES_256_GCM_SHA384";

/* The header at the start of these bytes, after each of its beginnings was looked at. */
static enum wire_proxy_step read_in_pieces(const void *bytes, size_t size,
                                           struct wire_proxy_header *header)
{
    enum wire_proxy_step step = WIRE_PROXY_MORE;
    size_t least = WIRE_PROXY_TELLING_BYTES;
    for (size_t part = 1; part <= size && step == WIRE_PROXY_MORE; part++) {
        uint8_t *copy = malloc(part);
        memcpy(copy, bytes, part);
        step = wire_decode_proxy_header(copy, part, header);
        if (step == WIRE_PROXY_MORE) {
            assert_true(header->least > part && header->least >= least);
            least = header->least;
        }
        assert_true(step != WIRE_PROXY_WHOLE || header->size == part);
        free(copy);
    }
    enum wire_proxy_step whole = wire_decode_proxy_header(bytes, size, header);
    assert_int_equal(whole, step);
    return whole;
}

static void assert_address(const struct sockaddr_storage *address, const char *ip, unsigned port)
{
    char text[INET6_ADDRSTRLEN] = "";
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    memcpy(&v4, address, sizeof v4);
    memcpy(&v6, address, sizeof v6);
    if (address->ss_family == AF_INET)
        inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    else
        inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    assert_string_equal(text, ip);
    assert_int_equal(ntohs(address->ss_family == AF_INET ? v4.sin_port : v6.sin6_port), port);
}

static void assert_value(struct wire_string tlvs, uint8_t type, const char *text)
{
    struct wire_string value;
    assert_true(wire_proxy_tlv_find(tlvs, type, &value));
    assert_int_equal(value.size, strlen(text));
    assert_memory_equal(value.data, text, value.size);
}

static void haproxy_with_tls_and_all_values(void **state)
{
    (void)state;
    struct wire_proxy_header header;
    struct wire_string value;
    struct wire_proxy_ssl ssl;
    assert_int_equal(read_in_pieces(from_haproxy, sizeof from_haproxy - 1, &header),
                     WIRE_PROXY_WHOLE);
    assert_int_equal(header.size, sizeof from_haproxy - 1);
    assert_true(header.has_address && !header.is_local);
    assert_address(&header.source, "127.0.0.1", 59512);
    assert_address(&header.destination, "127.0.0.1", 7102);
    assert_value(header.tlvs, WIRE_PROXY_AUTHORITY, "db.example.com");
    assert_value(header.tlvs, WIRE_PROXY_UNIQUE_ID, "7F000001:E878_0001");
    assert_value(header.tlvs, WIRE_PROXY_SSL_VERSION, "TLSv1.3");
    assert_value(header.tlvs, WIRE_PROXY_SSL_COMMON_NAME, "app-client");
    assert_value(header.tlvs, 0x23, "TLS_AES_256_GCM_SHA384");
    assert_false(wire_proxy_tlv_find(header.tlvs, WIRE_PROXY_AWS, &value));
    assert_true(wire_proxy_tlv_find(header.tlvs, WIRE_PROXY_SSL, &value));
    assert_true(wire_proxy_ssl_begin(value, &ssl));
    assert_int_equal(ssl.client,
                     WIRE_PROXY_SSL_IS_ON | WIRE_PROXY_SSL_CERTIFICATE | WIRE_PROXY_SSL_SESSION);
    assert_int_equal(ssl.verify, 0);
}

static void a_wrong_checksum_is_seen(void **state)
{
    (void)state;
    struct wire_proxy_header header;
    char bytes[sizeof from_haproxy];
    for (size_t i = 16; i < sizeof from_haproxy - 1; i++) {
        memcpy(bytes, from_haproxy, sizeof bytes);
        bytes[i] ^= 4;
        assert_int_equal(wire_decode_proxy_header((uint8_t *)bytes, sizeof bytes - 1, &header),
                         i == 28 ? WIRE_PROXY_WHOLE : WIRE_PROXY_BROKEN); /* no checksum then */
    }
}

/* A line a header: what it is; for whole ones the source, the destination and whether it is local. */
static const struct {
    const char *bytes;
    size_t size;
    enum wire_proxy_step step;
    const char *from, *to; /* NULL: it has no address */
    unsigned from_port, to_port;
    bool is_local;
} cases[] = {
#define BYTES(text) text, sizeof(text) - 1
    {BYTES("PROXY TCP4 127.0.0.1 127.0.0.1 54618 7101\r\n"), WIRE_PROXY_WHOLE, "127.0.0.1",
     "127.0.0.1", 54618, 7101, false}, /* HAProxy's send-proxy */
    {BYTES("PROXY TCP6 2001:db8::7 ::1 0 65535\r\n"), WIRE_PROXY_WHOLE, "2001:db8::7", "::1", 0,
     65535, false},
    {BYTES("PROXY UNKNOWN\r\n"), WIRE_PROXY_WHOLE, NULL, NULL, 0, 0, true},
    {BYTES("PROXY UNKNOWN ffff:f...f:ffff 1 2\r\n"), WIRE_PROXY_WHOLE, NULL, NULL, 0, 0, true},
    {BYTES(V2 "\x20\x00\x00\x00"), WIRE_PROXY_WHOLE, NULL, NULL, 0, 0, true}, /* its check */
    {BYTES(V2 "\x20\x7f\x00\x02\x01\xff"), WIRE_PROXY_WHOLE, NULL, NULL, 0, 0, true},
    {BYTES(V2 "\x21\x00\x00\x00"), WIRE_PROXY_WHOLE, NULL, NULL, 0, 0, false},
    {BYTES(V2 "\x21\x11\x00\x0c\x01\x02\x03\x04\x05\x06\x07\x08\x01\x00\x00\x02"), WIRE_PROXY_WHOLE,
     "1.2.3.4", "5.6.7.8", 256, 2, false},
    {BYTES(V2 "\x21\x21\x00\x24\0\0\0\0\0\0\0\0\0\0\xff\xff\x01\x02\x03\x04\0\0\0\0\0\0\0\0\0\0\0\0"
              "\0\0\0\x01\x00\x01\x00\x02"),
     WIRE_PROXY_WHOLE, "::ffff:1.2.3.4", "::1", 1, 2, false},

    {BYTES("PRO"), WIRE_PROXY_MORE, NULL, NULL, 0, 0, false},
    {BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r"), WIRE_PROXY_MORE, NULL, NULL, 0, 0, false},
    {BYTES("\r\n\r\n"), WIRE_PROXY_MORE, NULL, NULL, 0, 0, false},
    {BYTES(V2 "\x21\x11\x00\x0c\x01\x02\x03"), WIRE_PROXY_MORE, NULL, NULL, 0, 0, false},

    {BYTES("PRO "), WIRE_PROXY_NONE, NULL, NULL, 0, 0, false},
    {BYTES("\r\n\r "), WIRE_PROXY_NONE, NULL, NULL, 0, 0, false},
    {BYTES("\x20\x00\x00\x01"), WIRE_PROXY_NONE, NULL, NULL, 0, 0, false},

#define BROKEN(text)                                                                               \
    {                                                                                              \
        BYTES(text), WIRE_PROXY_BROKEN, NULL, NULL, 0, 0, false                                    \
    }
    BROKEN("PROXz"),
    BROKEN("PROX\n"),
    BROKEN("PROXY\r\n"),
    BROKEN("PROXY \r\n"),
    BROKEN("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n"),
    BROKEN("PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n"),
    BROKEN("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r3\r\n"),
    BROKEN("PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n"),
    BROKEN("PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n"),
    BROKEN("PROXY TCP4 1.2.3.4 5.6.7.8 1 99999999999999999999\r\n"),
    BROKEN("PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n"),
    BROKEN("PROXY TCP4 1.2.3.400 5.6.7.8 1 2\r\n"),
    BROKEN("PROXY TCP4 ::1 ::1 1 2\r\n"),
    BROKEN("PROXY TCP4 1.2.3.4\0 5.6.7.8 1 2\r\n"),
    BROKEN("PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n"),
    BROKEN("PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n"),
    BROKEN("PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n"),
    BROKEN("PROXY UNKNOWNS\r\n"),
    BROKEN("\r\n\r\nQUIT"),
    BROKEN(V2 "\x31\x11\x00\x0c\x01\x02\x03\x04\x05\x06\x07\x08\x01\x00\x00\x02"), /* version 3 */
    BROKEN(V2 "\x22\x11\x00\x0c\x01\x02\x03\x04\x05\x06\x07\x08\x01\x00\x00\x02"), /* a command 2 */
    BROKEN(V2 "\x21\x12\x00\x0c\x01\x02\x03\x04\x05\x06\x07\x08\x01\x00\x00\x02"), /* datagrams */
    BROKEN(V2 "\x21\x11\x00\x0b\x01\x02\x03\x04\x05\x06\x07\x08\x01\x00\x00"),
    BROKEN(V2 "\x21\x31\x00\x04\x01\x02\x03\x04"),
    BROKEN(V2 "\x21\x11\xff\xff"), /* larger than any that is accepted */
    BROKEN(V2 "\x21\x00\x00\x03\x02\x00\x01"),
    BROKEN(V2 "\x21\x00\x00\x02\x02\x00"),
    BROKEN(V2 "\x21\x00\x00\x07\x03\x00\x04\x00\x00\x00\x00"),
    BROKEN(V2 "\x21\x00\x00\x04\x03\x00\x01\x00"),
};

static void headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wire_proxy_header header;
        enum wire_proxy_step step = read_in_pieces(cases[i].bytes, cases[i].size, &header);
        if (step != cases[i].step)
            fail_msg("case %zu: %d (%s)", i, (int)step, header.broken ? header.broken : "");
        assert_int_equal(header.broken != NULL, step == WIRE_PROXY_BROKEN);
        if (step != WIRE_PROXY_WHOLE)
            continue;
        assert_int_equal(header.is_local, cases[i].is_local);
        assert_int_equal(header.has_address, cases[i].from != NULL);
        if (cases[i].from) {
            assert_address(&header.source, cases[i].from, cases[i].from_port);
            assert_address(&header.destination, cases[i].to, cases[i].to_port);
        }
    }
}

static void a_line_that_does_not_end(void **state)
{
    (void)state;
    char line[200] = "PROXY UNKNOWN ";
    struct wire_proxy_header header;
    memset(line + 14, 'x', sizeof line - 14);
    assert_int_equal(wire_decode_proxy_header((uint8_t *)line, 106, &header), WIRE_PROXY_MORE);
    assert_int_equal(wire_decode_proxy_header((uint8_t *)line, 107, &header), WIRE_PROXY_BROKEN);
    line[107] = '\n';
    assert_int_equal(wire_decode_proxy_header((uint8_t *)line, sizeof line, &header),
                     WIRE_PROXY_BROKEN);
}

static void unix_sockets(void **state)
{
    (void)state;
    uint8_t bytes[16 + 216] = V2 "\x21\x31\x00\xd8/tmp/a.sock";
    struct wire_proxy_header header;
    assert_int_equal(read_in_pieces(bytes, sizeof bytes, &header), WIRE_PROXY_WHOLE);
    assert_true(header.has_address);
    assert_int_equal(header.source.ss_family, AF_UNIX);
    assert_int_equal(header.tlvs.size, 0);
}

static void values_inside_of_others(void **state)
{
    (void)state;
    static const char tlvs[] =
        "\x04\x00\x02xx"                                /* padding */
        "\x20\x00\x03\x07\x00\x00"                      /* SSL, cut short */
        "\xea\x00\x05\x01vpce"                          /* AWS */
        "\x20\x00\x09\x07\x00\x00\x00\x00\x22\x00\x09z" /* of it, one cut short */
        "\x22\x00\x01p";
    const struct wire_string all = {tlvs, sizeof tlvs - 1};
    assert_value(all, WIRE_PROXY_AWS, "\001vpce");
    assert_value(all, WIRE_PROXY_SSL_COMMON_NAME, "p");
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct sockaddr_storage from = {0}, to = {0};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(7)};
    struct wire_proxy_header header;
    struct strbuf out = STRBUF_INIT;
    v6.sin6_addr.s6_addr[0] = 0x20;
    memcpy(&from, &v6, sizeof v6);
    memcpy(&to, &v6, sizeof v6);
    wire_encode_proxy_header(&out, (struct sockaddr *)&from, (struct sockaddr *)&to);
    assert_int_equal(read_in_pieces(out.data, out.size, &header), WIRE_PROXY_WHOLE);
    assert_memory_equal(&header.source, &from, sizeof v6);
    strbuf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(haproxy_with_tls_and_all_values),
        cmocka_unit_test(a_wrong_checksum_is_seen),
        cmocka_unit_test(headers),
        cmocka_unit_test(a_line_that_does_not_end),
        cmocka_unit_test(unix_sockets),
        cmocka_unit_test(values_inside_of_others),
        cmocka_unit_test(what_is_written_is_read),
    };
    return cmocka_run_group_tests_name("proxy", tests, NULL, NULL);
}
