/* SPDX-License-Identifier: Apache-2.0
 *
 * What has a file that nodes share is compiled here for the plugin. */
#include <weir/shared_file_code.h>
