/* SPDX-License-Identifier: Apache-2.0
 *
 * Big packets, what is kept of them, what breaks a conversation, and what withdrawing a command
 * does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "conversation.h"

#define COLUMN "03 'def' 00 00 00 01 'a' 00 0c 3f 00 01 00 00 00 08 81 00 00 00 00"
#define OK     "00 00 00 02 00 00 00"

static void a_packet_of_several_frames_is_one_packet(void **state)
{
    (void)state;
    converse(
        &(struct conversation){.capabilities = CLASSIC,
                               .lines = "C0 03 16777214*20\n"
                                        "C1 'select 1'              => command Query\n"
                                        "S2 01                      => column_count Query\n"
                                        "S3 " COLUMN "              => column_definition Query\n"
                                        "S4 fe 00 00 02 00          => eof Query\n"
                                        "S5 fe 10 00 00 01 00 00 00 00 16777206*41\n"
                                        "S6 'rest'                  => row Query\n"
                                        "S7 fd 00 00 10 16777211*41\n"
                                        "S8                         => row Query\n"
                                        "S9 01 'x'                  => row Query\n"
                                        "S10 fe 00 00 02 00         => eof Query .\n",
                               .results = "rows=3 affected=0 id=0 status=0002 warnings=0 set\n"});
}

static void an_unwanted_packet_of_several_frames(void **state)
{
    (void)state;
    converse(
        &(struct conversation){.capabilities = MODERN,
                               .wanted = WIRE_WANT(WIRE_OK),
                               .lines = "C0 03 16777214*20\n"
                                        "C1 'select 1'\n"
                                        "S2 01\n"
                                        "S3 " COLUMN "\n"
                                        "S4 01 'x'\n"
                                        "S5 fe 10 00 00 01 00 00 00 00 16777206*fe\n"
                                        "S6 fe fe fe fe\n"
                                        "S7 01 'x'\n"
                                        "S8 fe 00 00 02 00 00 00    => ok Query .\n",
                               .results = "rows=3 affected=0 id=0 status=0002 warnings=0 set\n"});
}

/* Sends one packet and returns what the tracker shows for it. */
static enum wire_step show(struct wire_tracker *tracker, enum wire_direction direction,
                           uint8_t sequence, const char *payload, size_t step,
                           struct wire_packet *packet)
{
    static struct strbuf bytes = STRBUF_INIT;
    struct wire_writer writer = wire_writer_to(&bytes, sequence);
    enum wire_step result = WIRE_MORE;
    strbuf_release(&bytes);
    wire_begin_packet(&writer);
    parse_payload(payload, &bytes);
    wire_end_packet(&writer);
    for (size_t i = 0; i < bytes.size && result == WIRE_MORE; i += step) {
        const uint8_t *start = (const uint8_t *)bytes.data + i;
        size_t size = bytes.size - i < step ? bytes.size - i : step;
        struct wire_input input = {start, start + size};
        result = wire_tracker_next(tracker, direction, &input, packet);
    }
    return result;
}

static void a_payload_is_whole_however_it_came_and_cut_at_the_limit(void **state)
{
    (void)state;
    static const size_t steps[] = {1, 2, 3, 5, 100, 1000000};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct wire_tracker tracker;
        struct wire_packet packet;
        wire_tracker_resume(&tracker, WIRE_WANT_ALL, 1000, CLASSIC, CLASSIC, 0);
        assert_int_equal(
            show(&tracker, WIRE_FROM_CLIENT, 0, "03 'hello' 300*41 'end'", steps[i], &packet),
            WIRE_PACKET);
        assert_int_equal(packet.total_size, 309);
        assert_int_equal(packet.payload_size, 309);
        assert_memory_equal(packet.payload, "\3hello", 6);
        assert_memory_equal(packet.payload + 306, "end", 3);
        assert_int_equal(
            show(&tracker, WIRE_FROM_CLIENT, 0, "03 'hello' 3000*41", steps[i], &packet),
            WIRE_PACKET);
        assert_int_equal(packet.total_size, 3006);
        assert_int_equal(packet.payload_size, 1000);
        assert_memory_equal(packet.payload, "\3helloA", 7);
        wire_tracker_release(&tracker);
    }
}

static void kept_memory_is_bounded_and_given_back(void **state)
{
    (void)state;
    struct wire_tracker tracker;
    struct wire_packet packet;
    wire_tracker_resume(&tracker, WIRE_WANT_ALL, 1 << 16, CLASSIC, CLASSIC, 0);
    assert_int_equal(show(&tracker, WIRE_FROM_CLIENT, 0, "03 3000000*41", 4096, &packet),
                     WIRE_PACKET);
    assert_int_equal(packet.payload_size, 1 << 16);
    assert_true(tracker.flow[WIRE_FROM_CLIENT].kept.capacity <= 2 << 16);
    wire_tracker_trim(&tracker);
    assert_int_equal(tracker.flow[WIRE_FROM_CLIENT].kept.capacity, 0);
    assert_false(wire_tracker_is_idle(&tracker));
    assert_int_equal(show(&tracker, WIRE_FROM_SERVER, 1, OK, 100, &packet), WIRE_PACKET);
    assert_true(wire_tracker_is_idle(&tracker));
    wire_tracker_release(&tracker);
}

static void a_withdrawn_command_waits_for_nothing(void **state)
{
    (void)state;
    struct wire_tracker tracker;
    struct wire_packet packet;
    wire_tracker_resume(&tracker, WIRE_WANT_ALL, 1000, CLASSIC, CLASSIC, 0);
    assert_int_equal(show(&tracker, WIRE_FROM_CLIENT, 0, "03 'drop'", 100, &packet), WIRE_PACKET);
    wire_tracker_withdraw_command(&tracker);
    assert_true(wire_tracker_is_idle(&tracker));
    /* With a command before it, only the last one goes. */
    show(&tracker, WIRE_FROM_CLIENT, 0, "0e", 100, &packet);
    show(&tracker, WIRE_FROM_CLIENT, 0, "03 'drop'", 100, &packet);
    wire_tracker_withdraw_command(&tracker);
    wire_tracker_withdraw_command(&tracker); /* nothing more to withdraw */
    show(&tracker, WIRE_FROM_CLIENT, 0, "19 01 00 00 00", 100, &packet);
    wire_tracker_withdraw_command(&tracker); /* waited for nothing anyway */
    assert_int_equal(show(&tracker, WIRE_FROM_SERVER, 1, OK, 100, &packet), WIRE_PACKET);
    assert_int_equal(packet.command, WIRE_COM_PING);
    assert_true(packet.ends_reply);
    assert_true(wire_tracker_is_idle(&tracker));
    wire_tracker_release(&tracker);
}

static void the_pipeline_has_a_limit(void **state)
{
    (void)state;
    struct wire_tracker tracker;
    struct wire_packet packet;
    wire_tracker_resume(&tracker, WIRE_WANT_ALL, 1000, CLASSIC, CLASSIC, 0);
    for (unsigned i = 0; i < WIRE_PIPELINE_MAX; i++) {
        show(&tracker, WIRE_FROM_CLIENT, 0, i % 2 ? "0e" : "02 'db'", 100, &packet);
        assert_null(tracker.broken);
    }
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(show(&tracker, WIRE_FROM_SERVER, 1, OK, 100, &packet), WIRE_PACKET);
        assert_int_equal(packet.command, i % 2 ? WIRE_COM_PING : WIRE_COM_INIT_DB);
        show(&tracker, WIRE_FROM_CLIENT, 0, "0e", 100, &packet);
        assert_null(tracker.broken);
    }
    show(&tracker, WIRE_FROM_CLIENT, 0, "0e", 100, &packet);
    assert_string_equal(tracker.broken, "too many commands wait for their replies");
    wire_tracker_release(&tracker);
}

static void packets_that_answer_nothing(void **state)
{
    (void)state;
    converse(&(struct conversation){.capabilities = CLASSIC,
                                    .lines =
                                        "S0 ff bf 0f '#HY000idle too long'  => unsolicited\n"
                                        "C0 03 'x'                          => command Query\n"
                                        "S0 ff bf 0f '#HY000killed'         => unsolicited\n"
                                        "S1 " OK "                          => ok Query .\n"
                                        "S2 " OK "                          => unsolicited\n"});
}

static void an_error_for_a_command_of_several_frames_may_have_any_number(void **state)
{
    (void)state;
    converse(&(struct conversation){.capabilities = CLASSIC,
                                    .lines = "C0 03 16777214*20\n"
                                             "C1 20                            => command Query\n"
                                             "S1 ff 81 04 '#08S01too large'    => err Query .\n"});
}

static void what_does_not_fit_breaks_the_conversation(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "C1 0e         => BROKEN a command has a sequence number other than 0\n",
        "C0 0e         => command Ping\n"
        "S2 " OK "     => BROKEN the server's packet has a wrong sequence number\n",
        "C0 0e         => command Ping\n"
        "S1            => BROKEN the server sent an empty packet\n",
        "C0 0e         => command Ping\n"
        "S1 'hello'    => BROKEN the reply to a simple command is neither OK, EOF nor ERR\n",
        "C0 16 'x'     => command Prepare\n"
        "S1 01         => BROKEN the reply to COM_STMT_PREPARE is neither PREPARE_OK nor ERR\n",
        "C0 03 'x'     => command Query\n"
        "S1 01         => column_count Query\n"
        "S2 fe 00 00 02 00 => BROKEN a column definition was due from the server\n",
        "C0 03 'x'     => command Query\n"
        "S1 01         => column_count Query\n"
        "S2 " COLUMN " => column_definition Query\n"
        "S3 01 '1'     => BROKEN an EOF was due after the column definitions\n",
        "C0 03 'x'     => command Query\n"
        "S1 fb 'file'  => local_infile_request Query\n"
        "C3 'x'        => BROKEN the client's packet has a wrong sequence number\n",
        "C0 03 'x'     => command Query\n"
        "S1 fb 'file'  => local_infile_request Query\n"
        "S2 01         => BROKEN the server went on before it had the LOCAL INFILE data\n",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        converse(&(struct conversation){.capabilities = CLASSIC, .lines = cases[i]});
    converse(&(struct conversation){
        .login = true,
        .lines = "C0 0e         => BROKEN the client spoke before the server's greeting\n"});
    converse(&(struct conversation){
        .login = true,
        .lines = "S0 fe         => BROKEN the server's first packet is not a greeting\n"});
    converse(&(struct conversation){.capabilities = CLASSIC,
                                    .lines = "C0 03 16777214*20\n"
                                             "C2 20 => BROKEN a packet's further frame has a "
                                             "wrong sequence number\n"});
}

/* A client that lacks the file or the method goes on with a command. Only an observer follows. */
static void what_a_client_leaves_unfinished(void **state)
{
    (void)state;
    static const char given_up[] = "C0 03 'x'     => command Query\n"
                                   "S1 fb 'file'  => local_infile_request Query\n"
                                   "C0 11 'eve' 00 00 00 ff 00 'm' 00 => command Change User\n"
                                   "S1 fe 'n' 00 20*61 00 => auth_switch Change User\n"
                                   "C0 0e         => command Ping\n"
                                   "S1 00 00 00 02 00 00 00 => ok Ping .\n";
    converse(&(struct conversation){
        .capabilities = CLASSIC, .lines = given_up, .client_may_give_up = true});
    converse(&(struct conversation){
        .capabilities = CLASSIC,
        .lines = "C0 03 'x'     => command Query\n"
                 "S1 fb 'file'  => local_infile_request Query\n"
                 "C0 0e         => BROKEN the client's packet has a wrong sequence number\n"});
    /* It gives up what it has read: half a packet would be taken for a part of the next reply. */
    converse(&(struct conversation){
        .capabilities = CLASSIC,
        .client_may_give_up = true,
        .lines = "C0 11 'eve' 00 00 00 ff 00 'm' 00 => command Change User\n"
                 "S1 fe 16777214*61\n"
                 "C0 03 'x'     => BROKEN the client's packet has a wrong sequence number\n"});
}

static void a_malformed_packet_is_shown_before_the_conversation_breaks(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "C0 0e         => command Ping\n"
        "S1 00 00      => ok Ping .\n"
        "C0 0e         => BROKEN the server's OK packet is malformed\n",
        "C0 03 'x'     => command Query\n"
        "S1 fc 01      => column_count Query\n"
        "C0 0e         => BROKEN the server's column count is malformed\n",
        "C0 16 'x'     => command Prepare\n"
        "S1 00 01      => prepare_ok Prepare .\n"
        "C0 0e         => BROKEN the server's PREPARE_OK packet is malformed\n",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        converse(&(struct conversation){.capabilities = CLASSIC, .lines = cases[i]});
    converse(&(struct conversation){
        .login = true,
        .lines = "S0 09 '3.20' 00 01 00 00 00 => greeting\n"
                 "C0 0e         => BROKEN the server's greeting is malformed\n"});
}

/* While the server sends its binlog; and the rest of one whose first part was consumed. */
static void an_acknowledgement_is_expected_in_a_binlog_dump_only(void **state)
{
    (void)state;
    static const uint8_t dump[] = {1, 0, 0, 0, 0x12}, ack[] = {3, 0, 0, 0, 0xef, 1, 2},
                         ping[] = {1, 0, 0, 0, 0x0e};
    struct wire_tracker tracker;
    struct wire_packet packet;
    wire_tracker_resume(&tracker, WIRE_WANT_ALL, 1000, CLASSIC, CLASSIC, 0);
    struct wire_input input = {ack, ack + sizeof ack};
    assert_false(wire_tracker_expects_ack(&tracker, &input));
    input = (struct wire_input){dump, dump + sizeof dump};
    assert_int_equal(wire_tracker_next(&tracker, WIRE_FROM_CLIENT, &input, &packet), WIRE_PACKET);
    for (size_t size = 0; size <= sizeof ack; size++) {
        input = (struct wire_input){ack, ack + size};
        assert_int_equal(wire_tracker_expects_ack(&tracker, &input), size > WIRE_HEADER_BYTES);
    }
    input = (struct wire_input){ping, ping + sizeof ping};
    assert_false(wire_tracker_expects_ack(&tracker, &input));
    input = (struct wire_input){ack, ack + 5};
    assert_int_equal(wire_tracker_next(&tracker, WIRE_FROM_CLIENT, &input, &packet), WIRE_MORE);
    input = (struct wire_input){ack + 5, ack + sizeof ack};
    assert_true(wire_tracker_expects_ack(&tracker, &input));
    assert_int_equal(wire_tracker_next(&tracker, WIRE_FROM_CLIENT, &input, &packet), WIRE_PACKET);
    assert_int_equal(packet.kind, WIRE_BINLOG_ACK);
    assert_false(wire_tracker_expects_ack(&tracker, &input));
    wire_tracker_release(&tracker);
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_packet_of_several_frames_is_one_packet),
        TEST(an_unwanted_packet_of_several_frames),
        TEST(a_payload_is_whole_however_it_came_and_cut_at_the_limit),
        TEST(kept_memory_is_bounded_and_given_back),
        TEST(a_withdrawn_command_waits_for_nothing),
        TEST(the_pipeline_has_a_limit),
        TEST(packets_that_answer_nothing),
        TEST(an_error_for_a_command_of_several_frames_may_have_any_number),
        TEST(what_does_not_fit_breaks_the_conversation),
        TEST(what_a_client_leaves_unfinished),
        TEST(a_malformed_packet_is_shown_before_the_conversation_breaks),
        TEST(an_acknowledgement_is_expected_in_a_binlog_dump_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
