/* SPDX-License-Identifier: Apache-2.0
 *
 * base: what every other room stands on: errors, growing strings, LIKE, SHA-256, the log, the clock,
 * writing to disk, hexadecimal, histograms of durations, TOML, options.
 *
 * Nothing here knows of the MySQL protocol, of plugins or of sockets. Each part has a header of its
 * own beside this one; other rooms include this one. */
#ifndef WEIR_BASE_BASE_H
#define WEIR_BASE_BASE_H

#include "base/check.h"
#include "base/clock.h"
#include "base/disk.h"
#include "base/durations.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/like.h"
#include "base/log.h"
#include "base/nearest.h"
#include "base/options.h"
#include "base/strbuf.h"
#include "base/toml.h"

#endif
