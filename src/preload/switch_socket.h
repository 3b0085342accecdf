// SPDX-License-Identifier: Apache-2.0
// One descriptor, now of the kernel's netlink socket, now of a connection to limpetd. Which of the two it is, its
// socket says: nothing is remembered, so copies, children and closing need no care.
#pragma once

namespace limpet::preload {

enum class Side { neither, kernel, limpetd };

// Of a descriptor that belongs to generic netlink.
Side side_of(int fd);
// The same of one that messages are sent by to an address of netlink.
bool is_kernels(int fd);

// False: there is no limpetd for this socket, and the descriptor is as it was.
bool switch_to_limpetd(int fd);
// To a connection to limpetd that the caller has, and hands over.
bool switch_to(int fd, int connection);
// The same as switch_to_limpetd() when the connection has broken, as when limpetd is started again: it is waited for a
// little.
bool switch_to_limpetd_again(int fd);
// `port`: the address of the former netlink socket, which is bound to again if it is still free.
bool switch_to_kernel(int fd, unsigned port);

}  // namespace limpet::preload
