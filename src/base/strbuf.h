/* SPDX-License-Identifier: Apache-2.0
 *
 * The growing buffer, which plugins share: see <weir/strbuf.h>. */
#ifndef WEIR_BASE_STRBUF_H
#define WEIR_BASE_STRBUF_H

#include <weir/strbuf.h>

#endif
