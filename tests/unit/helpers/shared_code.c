/* SPDX-License-Identifier: Apache-2.0
 *
 * What has a file that nodes share is compiled here for its tests. */
#include <weir/shared_file_code.h>
