// SPDX-License-Identifier: Apache-2.0
// The director's refusals as errno, as programs know them from the kernel.
#pragma once

#include "model/command.h"
#include "model/result.h"

namespace limpet::ipvs_netlink {

// What is not carried is told as by a kernel without it: EAFNOSUPPORT for IPv6, EPROTONOSUPPORT for SCTP, ENOENT for a
// scheduler or persistence engine, EOPNOTSUPP for all else. Each survives libnl's numbers, which know few errors.
int errno_of(const Error& error, const Command& command);

}  // namespace limpet::ipvs_netlink
