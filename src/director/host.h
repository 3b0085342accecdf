// SPDX-License-Identifier: Apache-2.0
// What the director keeps up in the host around the data plane: doors, the mark path, neighbours; and what in the host
// would break it.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "dataplane/object.h"
#include "director/doors.h"
#include "director/neighbours.h"
#include "director/options.h"
#include "director/trace_record.h"
#include "model/explanation.h"
#include "network/mark_path.h"
#include "network/monitor.h"
#include "network/netlink.h"
#include "network/sysctl.h"

namespace limpet {

class Host {
 public:
  // Opens sockets and records; changes nothing yet.
  static Result<std::unique_ptr<Host>> open(const DirectorOptions& options);

  // Id of the mark door's program that a former limpetd has left at limpet0; 0: none.
  std::uint32_t attached_program() const;
  // Makes limpet0, attaches the mark door and the doors. The data plane's configuration is told of limpet0.
  Result<void> connect(dataplane::Object& object);

  // Rules and routes for `plan`. With the first packets' flag: on only when their way is there, off before it goes.
  Result<void> lead(const network::MarkPathPlan& plan);
  // Whether the last lead() was for `plan`, and succeeded.
  bool leads(const network::MarkPathPlan& plan) const { return led_ && plan_ == plan; }
  // Whether the host's rules lead such packets to the mark door, by whichever door's interface they come.
  bool leads(const ExplainQuestion& question);
  Neighbours& neighbours() { return neighbours_; }
  Result<std::optional<std::uint32_t>> mtu_of(const std::string& interface);  // nullopt: there is no such interface

  int monitor_fd() const { return monitor_.fd(); }
  // Takes in what the kernel has notified; settle() acts on it, so that a burst of changes is answered once.
  void take_changes();
  // Without waiting for settle(): while the mark path is up, a virtual address that has come here, by VRRP say, brings
  // clients with it whom the host would refuse until then.
  void follow_addresses();
  // True: something has changed, next hops may have, too.
  bool settle();
  // With the next settle() everything is looked at once more: what nobody notifies (a filter taken off an interface).
  void look_again() { pending_ = network::kEverythingChanged; }
  // Whether the last settle() or lead() could do all that it wanted.
  bool is_settled() const { return settled_ && led_; }
  // Looks for settings that would break the mark path, at most every few seconds; new ones are logged.
  void look_for_hazards();

  std::vector<DoorStatus> doors() const;
  const std::vector<std::string>& hazards() const { return hazards_; }

 private:
  Host(const DirectorOptions& options, network::Netlink netlink, network::Monitor monitor, network::Sysctls sysctls);
  Result<void> open_mark_door(const network::MarkDevice& device);
  void settle_links();
  void refresh_doors();
  void complain(const Error& error);

  const DirectorOptions& options_;
  network::Netlink netlink_;
  network::Monitor monitor_;
  network::Sysctls sysctls_;
  network::MarkPath mark_path_;
  network::MarkDevice mark_device_;
  QdiscRecord qdiscs_;
  Neighbours neighbours_;
  dataplane::Object* object_ = nullptr;
  std::unique_ptr<Doors> doors_;
  network::MarkPathPlan plan_;
  network::Changes pending_;
  bool settled_ = true;
  bool led_ = false;
  std::set<std::string> complaints_;  // each is said once, not with every attempt
  std::vector<std::string> hazards_;
};

}  // namespace limpet
