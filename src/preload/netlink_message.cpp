// SPDX-License-Identifier: Apache-2.0
// The header, and of the controller's GETFAMILY the name.
#include "preload/netlink_message.h"

#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <linux/netlink.h>

#include <cstring>

#include "ipvs_netlink/protocol.h"

namespace limpet::preload {
namespace {

std::size_t gather(const msghdr* message, unsigned char* to, std::size_t room) {
  std::size_t total = 0;
  std::size_t copied = 0;
  for (std::size_t i = 0; i < message->msg_iovlen; ++i) {
    const iovec& piece = message->msg_iov[i];
    const std::size_t taken = piece.iov_len < room - copied ? piece.iov_len : room - copied;
    if (taken > 0) std::memcpy(to + copied, piece.iov_base, taken);
    copied += taken;
    total += piece.iov_len;
  }
  return total;
}

// 0: there is no such attribute.
std::size_t find_name(const unsigned char* bytes, std::size_t length) {
  std::size_t offset = NLMSG_HDRLEN + GENL_HDRLEN;
  while (offset + sizeof(nlattr) <= length) {
    nlattr header;
    std::memcpy(&header, bytes + offset, sizeof header);
    if (header.nla_len < sizeof header || offset + header.nla_len > length) return 0;
    const bool is_name = (header.nla_type & NLA_TYPE_MASK) == CTRL_ATTR_FAMILY_NAME;
    if (is_name && header.nla_len == sizeof header + sizeof IPVS_GENL_NAME) return offset + sizeof header;
    offset += NLA_ALIGN(header.nla_len);
  }
  return 0;
}

}  // namespace

void look_at(const msghdr* message, Looked* looked) {
  looked->about = About::other;
  looked->length = gather(message, looked->bytes, kLooked);
  if (looked->length < NLMSG_HDRLEN) return;
  nlmsghdr header;
  std::memcpy(&header, looked->bytes, sizeof header);
  looked->port = header.nlmsg_pid;
  if (header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_len > looked->length) return;
  if (header.nlmsg_type == LIMPET_IPVS_FAMILY) {
    looked->about = About::ipvs;
    return;
  }
  const bool short_enough = looked->length <= kLooked && header.nlmsg_len >= NLMSG_HDRLEN + GENL_HDRLEN;
  if (header.nlmsg_type != GENL_ID_CTRL || !short_enough) return;
  if (looked->bytes[NLMSG_HDRLEN] != CTRL_CMD_GETFAMILY) return;
  const std::size_t name = find_name(looked->bytes, header.nlmsg_len);
  if (name == 0 || std::memcmp(looked->bytes + name, IPVS_GENL_NAME, sizeof IPVS_GENL_NAME) != 0) return;
  looked->about = About::ipvs_number;
  looked->name_offset = name;
}

}  // namespace limpet::preload
