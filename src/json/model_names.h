// SPDX-License-Identifier: Apache-2.0
// The model's enumerations that several documents name.
#pragma once

#include <array>

#include "json/names.h"
#include "model/service.h"

namespace limpet::json_codec {

inline constexpr std::array<Named<Family>, 2> kFamilies{{{"ipv4", Family::ipv4}, {"ipv6", Family::ipv6}}};
inline constexpr std::array<Named<Protocol>, 4> kProtocols{
    {{"tcp", Protocol::tcp}, {"udp", Protocol::udp}, {"sctp", Protocol::sctp}, {"ip", Protocol::ip}}};
inline constexpr std::array<Named<ForwardingMethod>, 4> kMethods{{{"route", ForwardingMethod::route},
                                                                  {"masq", ForwardingMethod::masq},
                                                                  {"tunnel", ForwardingMethod::tunnel},
                                                                  {"local", ForwardingMethod::local}}};
// ipvsadm's names for -b; sh-port and the like are other names of the same bits.
inline constexpr std::array<Named<std::uint32_t>, 3> kSchedulerFlags{
    {{"flag-1", sched_flag_1}, {"flag-2", sched_flag_2}, {"flag-3", sched_flag_3}}};

}  // namespace limpet::json_codec
