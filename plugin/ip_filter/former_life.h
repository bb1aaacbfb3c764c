/* SPDX-License-Identifier: Apache-2.0
 *
 * The name under which a node publishes its counts: new with each start, and kept in a file of the data directory, so
 * that a node which starts again knows what of the store it has left there itself. */
#ifndef IP_FILTER_FORMER_LIFE_H
#define IP_FILTER_FORMER_LIFE_H

#include "other_nodes.h"

/* Makes a name, and writes it to the file. former: gets the one that was there; "": none. */
void former_life_replace(char name[NODE_NAME_BYTES + 1], char former[NODE_NAME_BYTES + 1]);

#endif
