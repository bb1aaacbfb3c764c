/* SPDX-License-Identifier: Apache-2.0
 *
 * wire: the MySQL protocol as bytes.
 *
 * Nothing here does I/O, and nothing allocates per packet. The parts, in learning order:
 *
 *   protocol.h   the protocol's lists: commands, capabilities, status flags, field types, limits
 *   errors.h     the errors that weir itself puts on the wire
 *   bytes.h      one bounded reader and one bounded writer
 *   packets.h    codecs: greeting, handshake response, OK, ERR, column definitions, rows ...
 *   parameters.h what a client sends with a statement: its text, parameters, query attributes
 *   proxy.h      the PROXY protocol v2 header
 *   waypoints.h  a walk over elements without an index, that does not begin at the first each time
 *   tracker.h    the conversation tracker: bytes of both directions in, packets with meaning out
 *
 * Source of the facts: MySQL 8.0 "Client/Server Protocol" in the source code documentation and
 * MariaDB's "Client/Server Protocol" knowledge base pages. */
#ifndef WEIR_WIRE_WIRE_H
#define WEIR_WIRE_WIRE_H

#include "wire/bytes.h"
#include "wire/errors.h"
#include "wire/packets.h"
#include "wire/parameters.h"
#include "wire/protocol.h"
#include "wire/proxy.h"
#include "wire/tracker.h"
#include "wire/waypoints.h"

#endif
