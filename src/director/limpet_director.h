// SPDX-License-Identifier: Apache-2.0
// The director: one writer over model, journal, tables and host.
#pragma once

#include <filesystem>
#include <memory>
#include <unordered_map>

#include "dataplane/object.h"
#include "dataplane/sweeper.h"
#include "dataplane/tables.h"
#include "director/defence.h"
#include "director/director.h"
#include "director/full_tables.h"
#include "director/host.h"
#include "director/journal.h"
#include "director/mark_plan.h"
#include "director/options.h"
#include "director/rates.h"
#include "director/rollout.h"
#include "director/template_snapshot.h"
#include "model/configuration.h"

namespace limpet {

class LimpetDirector : public Director {
 public:
  // Loads or adopts the data plane, brings the journal's configuration into it, opens the doors.
  static Result<std::unique_ptr<LimpetDirector>> start(const DirectorOptions& options);
  ~LimpetDirector() override;

  Result<void> execute(const Command& command) override;
  std::unique_ptr<Transaction> begin_transaction() override;
  bool settle() override;
  std::unique_ptr<Forecast> forecast() override;
  std::unique_ptr<ServiceCursor> services() override;
  Result<ServiceView> service(const ServiceKey& key) override;
  Timeouts timeouts() const override { return configuration_.timeouts(); }
  std::vector<Setting> tunables() const override { return all_settings(defence_.shown(configuration_.tunables())); }
  std::vector<SyncDaemon> sync_daemons() const override { return configuration_.sync_daemons(); }
  std::unique_ptr<ConnectionCursor> connections() override;
  std::unique_ptr<SessionCursor> sessions(const SessionFilter& filter) override;
  std::unique_ptr<Tally> remaining(const SessionFilter& filter) override;
  Result<Explanation> explain(const ExplainQuestion& question) override;
  Status status() override;
  Result<void> unload() override;

  // The event loop's part: tick() every kTick, on_network_change() when network_fd() is readable.
  static constexpr std::chrono::milliseconds kTick = dataplane::Sweeper::kInterval;
  void tick();
  int network_fd() const { return host_->monitor_fd(); }
  void on_network_change();
  // limpetd is to end, and what is in the kernel goes on: writes the last snapshot of templates.
  void say_goodbye();

 private:
  friend class LimpetForecast;
  friend class LimpetTransaction;
  friend class SnapshotCursor;
  explicit LimpetDirector(const DirectorOptions& options) : options_(options), plan_(options.first_packets_netfilter) {}
  Result<void> prepare();
  void restore_templates(const Configuration& configuration);
  void take_settings_of_files(Replay& replay);
  void bring_in(const Replay& replay);
  Result<void> check(const Command& command);
  Result<void> apply(const Command& command);
  Result<void> apply_to_tables(const Command& command);
  Result<Command> settled(const Command& command, const Configuration& configuration) const;
  Result<void> flush();
  Result<void> take_back(const ServiceKey& added, const Error& why);
  Result<void> put_into_tables(const ConfiguredService& service, dataplane::Edit edit = dataplane::Edit::none);
  void zero(const Zero& command);
  void zero_some();
  void zero(const ServiceKey& service);
  void put_tunables_in_force();
  void defend();
  void tell_of_defence();
  void expire_removed();
  Result<void> room_for(const Configuration& next) const;
  Result<void> make_way_for(const Configuration& next);
  std::shared_ptr<Rollout> adopt(Configuration next, std::vector<ServiceKey> touched);
  void roll_out();
  void roll_back(const Error& why);
  void end_rollout();
  void lead_as_planned();
  void every_second();
  void keep_templates();
  void write_last_snapshot();
  TemplateSnapshot::Source template_source() const;
  void sample_rates();
  ServiceView view(const ConfiguredService& service) const;
  void look_for_full_tables();

  DirectorOptions options_;
  std::unique_ptr<Host> host_;
  std::unique_ptr<dataplane::Object> object_;
  std::unique_ptr<dataplane::Tables> tables_;
  std::unique_ptr<dataplane::Sweeper> sweeper_;
  std::unique_ptr<Journal> journal_;
  Configuration configuration_;
  std::uint64_t generation_ = 0;      // of the configuration: goes up with every change
  std::shared_ptr<Rollout> rollout_;  // a transaction, or a cleared table, on its way into the tables
  std::vector<ServiceKey> zeroing_;   // services whose counters are still to be zeroed
  MarkPlan plan_;
  std::unordered_map<std::uint32_t, Estimator> rates_;  // by destination id
  FullTables full_tables_;
  Defence defence_;
  std::string defence_told_;
  unsigned defence_told_again_ = 0;  // ticks_ from which on a change is told
  std::unique_ptr<TemplateSnapshot> snapshot_;
  std::uint64_t snapshot_sum_ = 0;  // SweepStatus::template_sum when the last one began
  std::string snapshot_failure_;    // said once
  unsigned ticks_ = 0;
  bool neighbours_due_ = true;
  bool unloaded_ = false;
};

}  // namespace limpet
