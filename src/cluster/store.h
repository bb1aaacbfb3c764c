/* SPDX-License-Identifier: Apache-2.0
 *
 * The stores of the room store, whose interface etcd.h is one of. */
#ifndef WEIR_CLUSTER_STORE_H
#define WEIR_CLUSTER_STORE_H

#include "store/store.h"

#endif
