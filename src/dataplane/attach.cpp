// SPDX-License-Identifier: Apache-2.0
// Puts programs at interfaces, and takes out what is ours.
#include "dataplane/attach.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "dataplane/libbpf_log.h"

namespace limpet::dataplane {
namespace {

// Where our filter sits among others of an interface: first, since it passes what is not ours on to them
// (TC_ACT_UNSPEC). The handle tells it from others of that priority.
constexpr std::uint32_t kTcPriority = 1;
constexpr std::uint32_t kTcHandle = 0x4c504554;

bpf_tc_hook make_hook(int ifindex, Hook hook) {
  bpf_tc_hook out{};
  out.sz = sizeof(out);
  out.ifindex = ifindex;
  out.attach_point = hook == Hook::ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS;
  return out;
}

bpf_tc_opts make_options() {
  bpf_tc_opts options{};
  options.sz = sizeof(options);
  options.handle = kTcHandle;
  options.priority = kTcPriority;
  return options;
}

// The names of our programs begin alike; the kernel keeps 15 characters.
bool is_ours(std::uint32_t program_id) {
  const int fd = ::bpf_prog_get_fd_by_id(program_id);
  if (fd < 0) return false;
  bpf_prog_info info{};
  std::uint32_t length = sizeof(info);
  const bool ours = ::bpf_obj_get_info_by_fd(fd, &info, &length) == 0 && std::strncmp(info.name, "limpet_", 7) == 0;
  ::close(fd);
  return ours;
}

// 0: unknown.
std::uint32_t id_of(int program) {
  bpf_prog_info info{};
  std::uint32_t length = sizeof(info);
  return ::bpf_obj_get_info_by_fd(program, &info, &length) == 0 ? info.id : 0;
}

// Of whatever program is there; 0: none.
std::uint32_t xdp_program_at(int ifindex) {
  std::uint32_t id = 0;
  return ::bpf_xdp_query_id(ifindex, 0, &id) == 0 ? id : 0;
}

}  // namespace

Result<bool> attach_tc(int ifindex, const std::string& interface, Hook hook, int program) {
  if (const std::uint32_t there = attached_tc(ifindex, hook); there != 0 && there == id_of(program)) return false;
  const LibbpfLog log;
  bpf_tc_hook where = make_hook(ifindex, hook);
  int error = ::bpf_tc_hook_create(&where);
  const bool made = error == 0;
  if (!made && error != -EEXIST)
    return system_error("cannot add a clsact qdisc to " + interface + " (is CONFIG_NET_SCH_INGRESS there?)", -error);
  bpf_tc_opts options = make_options();
  options.prog_fd = program;
  options.flags = BPF_TC_F_REPLACE;
  error = ::bpf_tc_attach(&where, &options);
  if (error != 0) return system_error("cannot attach the data plane to " + interface, -error);
  return made;
}

std::uint32_t attached_tc(int ifindex, Hook hook) {
  const LibbpfLog log;
  const bpf_tc_hook where = make_hook(ifindex, hook);
  bpf_tc_opts options = make_options();
  if (::bpf_tc_query(&where, &options) != 0 || !is_ours(options.prog_id)) return 0;
  return options.prog_id;
}

Result<void> detach_tc(int ifindex, const std::string& interface, Hook hook, bool remove_qdisc) {
  const LibbpfLog log;
  bpf_tc_hook where = make_hook(ifindex, hook);
  if (attached_tc(ifindex, hook) != 0) {
    bpf_tc_opts options = make_options();
    const int error = ::bpf_tc_detach(&where, &options);
    if (error != 0 && error != -ENOENT) return system_error("cannot detach the data plane from " + interface, -error);
  }
  if (remove_qdisc) {
    where.attach_point = static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS);
    ::bpf_tc_hook_destroy(&where);
  }
  return {};
}

XdpOccupant xdp_occupant(int ifindex) {
  const LibbpfLog log;
  const std::uint32_t id = xdp_program_at(ifindex);
  if (id == 0) return XdpOccupant::none;
  return is_ours(id) ? XdpOccupant::ours : XdpOccupant::other;
}

Result<void> attach_xdp(int ifindex, const std::string& interface, int program) {
  const LibbpfLog log;
  // Attaching is told as a change of the link, which would have us called again, for ever.
  if (const std::uint32_t there = xdp_program_at(ifindex); there != 0 && there == id_of(program)) return {};
  const int error = ::bpf_xdp_attach(ifindex, program, XDP_FLAGS_DRV_MODE, nullptr);
  if (error != 0) return system_error("cannot attach the XDP program to " + interface, -error);
  return {};
}

Result<void> detach_xdp(int ifindex, const std::string& interface) {
  if (xdp_occupant(ifindex) != XdpOccupant::ours) return {};
  const LibbpfLog log;
  const int error = ::bpf_xdp_detach(ifindex, XDP_FLAGS_DRV_MODE, nullptr);
  if (error != 0) return system_error("cannot detach the XDP program from " + interface, -error);
  return {};
}

}  // namespace limpet::dataplane
