/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing to disk, which plugins share: see <weir/disk.h>. */
#ifndef WEIR_BASE_DISK_H
#define WEIR_BASE_DISK_H

#include <weir/disk.h>

#endif
