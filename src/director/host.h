// SPDX-License-Identifier: Apache-2.0
// What the director keeps up in the host around the data plane: doors, the mark path, neighbours; and what in the host
// would break it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/object.h"
#include "director/doors.h"
#include "director/neighbours.h"
#include "director/options.h"
#include "director/trace_record.h"
#include "network/mark_path.h"
#include "network/monitor.h"
#include "network/netlink.h"
#include "network/sysctl.h"

namespace limpet {

class Host {
 public:
  // Opens sockets and records and makes limpet0; attaches nothing yet.
  static Result<std::unique_ptr<Host>> open(const DirectorOptions& options);

  // Id of the mark door's program that a former limpetd has left at limpet0; 0: none.
  std::uint32_t attached_program() const;
  // Attaches the mark door and the doors. The data plane's configuration is told of limpet0.
  Result<void> connect(dataplane::Object& object);

  // Rules and routes for `plan`. With the first packets' flag: on only when their way is there, off before it goes.
  Result<void> lead(const network::MarkPathPlan& plan);
  void keep_servers(const std::vector<Address>& servers);

  int monitor_fd() const { return monitor_.fd(); }
  // Takes in what the kernel has notified. True: routes or addresses have changed, next hops may have.
  bool take_changes();
  // Looks for settings that would break the mark path, at most every few seconds; new ones are logged.
  void look_for_hazards();

  std::vector<DoorStatus> doors() const;
  const std::vector<std::string>& hazards() const { return hazards_; }

 private:
  Host(const DirectorOptions& options, network::Netlink netlink, network::Monitor monitor, network::Sysctls sysctls);
  void refresh_doors();

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
  std::vector<std::string> hazards_;
};

}  // namespace limpet
