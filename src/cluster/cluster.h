/* SPDX-License-Identifier: Apache-2.0
 *
 * cluster: what several gateways share.
 *
 *   etcd.h           a store (room store) that is etcd
 *
 * Nothing here knows of the gateway. */
#ifndef WEIR_CLUSTER_CLUSTER_H
#define WEIR_CLUSTER_CLUSTER_H

#include "cluster/etcd.h"
#include "store/store.h"

#endif
