/* SPDX-License-Identifier: Apache-2.0
 *
 * store: keys and values with revisions, leases and followers, behind one interface.
 *
 *   interface.h      what a store does; the room cluster has one that is etcd
 *   file_store.h     one of this process alone, kept in a file
 *   memory_store.h   stores in memory, for tests and simulations
 *
 * Nothing here knows of plugins or of the gateway. */
#ifndef WEIR_STORE_STORE_H
#define WEIR_STORE_STORE_H

#include "store/file_store.h"
#include "store/interface.h"
#include "store/memory_store.h"

#endif
