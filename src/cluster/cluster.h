/* SPDX-License-Identifier: Apache-2.0
 *
 * cluster: what several gateways share.
 *
 *   etcd.h           a store (room store) that is etcd
 *   process_store.h  the one that a process has, and when it ends
 *   membership.h     a node's number, and what all nodes say of themselves
 *   node_record.h    one of the latter, as JSON
 *   node_requests.h  what one node asks of another; node_kill.h: a KILL; node_processes.h: its sessions
 *   plugin_keys.h    flushes and states of plugins, as TiDB's servers share them
 *   variable_keys.h  the values of plugins' variables
 *
 * Nothing here knows of the gateway. */
#ifndef WEIR_CLUSTER_CLUSTER_H
#define WEIR_CLUSTER_CLUSTER_H

#include "cluster/etcd.h"
#include "cluster/membership.h"
#include "cluster/node_kill.h"
#include "cluster/node_processes.h"
#include "cluster/node_record.h"
#include "cluster/node_requests.h"
#include "cluster/plugin_keys.h"
#include "cluster/process_store.h"
#include "cluster/variable_keys.h"
#include "store/store.h"

#endif
