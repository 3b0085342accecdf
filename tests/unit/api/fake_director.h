// SPDX-License-Identifier: Apache-2.0
// A director without a kernel: remembers what it was asked and answers what the test has set.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "director/director.h"

namespace limpet::api {

inline ConnectionView numbered_connection(std::uint32_t number) {
  ConnectionView view;
  view.state = number % 2 == 0 ? "ESTABLISHED" : "FIN_WAIT";
  view.expires = number % 900;
  view.client = Address::ipv4(number);
  view.client_port = Port{static_cast<std::uint16_t>(number % 65536)};
  view.virtual_address = *Address::parse("192.0.2.1");
  view.virtual_port = Port{80};
  view.destination = *Address::parse("198.51.100.7");
  view.destination_port = Port{8080};
  return view;
}

struct FakeDirector : Director {
  Result<void> execute(const Command& command) override {
    commands.push_back(command);
    return on_execute ? on_execute(command) : Result<void>();
  }
  std::unique_ptr<Transaction> begin_transaction() override;
  std::unique_ptr<Forecast> forecast() override;
  bool settle() override { return true; }
  std::unique_ptr<ServiceCursor> services() override;
  Result<ServiceView> service(const ServiceKey& key) override {
    for (const ServiceView& view : listed) {
      if (view.service.key == key) return view;
    }
    return Error{ErrorCode::no_such_service, "there is no service " + key.to_string()};
  }
  Timeouts timeouts() const override { return set_timeouts; }
  std::vector<Setting> tunables() const override { return all_settings(set_tunables); }
  std::vector<SyncDaemon> sync_daemons() const override { return daemons; }
  std::unique_ptr<ConnectionCursor> connections() override;
  std::unique_ptr<SessionCursor> sessions(const SessionFilter& filter) override;
  std::unique_ptr<Tally> remaining(const SessionFilter& filter) override;
  Result<Explanation> explain(const ExplainQuestion& question) override {
    questions.push_back(question);
    return explained;
  }
  Status status() override { return shown; }
  Result<void> unload() override {
    ++unloads;
    return unload_result;
  }

  std::function<Result<void>(const Command&)> on_execute;
  std::vector<Command> commands;
  std::vector<ServiceView> listed;
  Timeouts set_timeouts;
  Tunables set_tunables;
  std::vector<SyncDaemon> daemons;
  Status shown;
  int unloads = 0;
  Result<void> unload_result;
  std::uint32_t connection_count = 0;
  std::uint32_t fail_at = UINT32_MAX;               // the cursor fails when it gets there
  std::atomic<std::uint32_t> connections_read = 0;  // by cursors, so far
  std::vector<SessionFilter> filters;               // that sessions were asked for with
  std::vector<ExplainQuestion> questions;
  Result<Explanation> explained = Explanation{};
  std::vector<ForesightLine> foreseen;
  std::optional<Error> forecast_failure;
  Remaining counted;
};

class FakeServices : public ServiceCursor {
 public:
  explicit FakeServices(std::vector<ServiceView> services) : services_(std::move(services)) {}
  std::optional<ServiceView> next() override {
    if (next_ == services_.size()) return std::nullopt;
    return services_[next_++];
  }

 private:
  std::vector<ServiceView> services_;
  std::size_t next_ = 0;
};

inline std::unique_ptr<ServiceCursor> FakeDirector::services() { return std::make_unique<FakeServices>(listed); }

// Carries out at the second call of commit(); a command that on_execute refuses is refused when it comes.
class FakeTransaction : public Transaction {
 public:
  explicit FakeTransaction(FakeDirector& director) : director_(director) {}
  Result<void> add(const Command& command) override {
    if (director_.on_execute) {
      if (auto fine = director_.on_execute(command); !fine) return fine;
    }
    commands_.push_back(command);
    return {};
  }
  Progress commit() override {
    if (++calls_ < 2) return {};
    director_.commands.insert(director_.commands.end(), commands_.begin(), commands_.end());
    return {true, std::nullopt};
  }

 private:
  FakeDirector& director_;
  std::vector<Command> commands_;
  int calls_ = 0;
};

inline std::unique_ptr<Transaction> FakeDirector::begin_transaction() {
  return std::make_unique<FakeTransaction>(*this);
}

inline SessionView numbered_session(std::uint32_t number) {
  SessionView view;
  view.connection = numbered_connection(number);
  view.service = ServiceKey::of_address(Protocol::tcp, view.connection.virtual_address, view.connection.virtual_port);
  view.scheduler = "rr";
  return view;
}

// Every other piece is empty, as where nothing in the tables is of those asked for.
template <class View, View (*numbered)(std::uint32_t)>
class FakeCursor : public Cursor<View> {
 public:
  explicit FakeCursor(FakeDirector& director) : director_(director) {}
  Result<std::optional<std::vector<View>>> next(std::size_t limit) override {
    if (position_ >= director_.fail_at) return Error{ErrorCode::internal, "the table went away"};
    if (position_ >= director_.connection_count) return std::optional<std::vector<View>>();
    empty_ = !empty_;
    std::vector<View> piece;
    if (empty_) return std::optional(piece);
    const auto end = static_cast<std::uint32_t>(std::min<std::size_t>(position_ + limit, director_.connection_count));
    for (; position_ < end; ++position_) piece.push_back(numbered(position_));
    director_.connections_read += static_cast<std::uint32_t>(piece.size());
    return std::optional(std::move(piece));
  }

 private:
  FakeDirector& director_;
  std::uint32_t position_ = 0;
  bool empty_ = false;
};

inline std::unique_ptr<ConnectionCursor> FakeDirector::connections() {
  return std::make_unique<FakeCursor<ConnectionView, numbered_connection>>(*this);
}

inline std::unique_ptr<SessionCursor> FakeDirector::sessions(const SessionFilter& filter) {
  filters.push_back(filter);
  return std::make_unique<FakeCursor<SessionView, numbered_session>>(*this);
}

// Looks twice, then tells what the test has set; refuses what on_execute refuses.
class FakeForecast : public Forecast {
 public:
  explicit FakeForecast(FakeDirector& director) : director_(director) {}
  Result<void> add(const Command& command) override {
    return director_.on_execute ? director_.on_execute(command) : Result<void>();
  }
  Progress look() override { return {++looks_ == 2, director_.forecast_failure}; }
  std::optional<ForesightLine> next() override {
    if (next_ == director_.foreseen.size()) return std::nullopt;
    return director_.foreseen[next_++];
  }

 private:
  FakeDirector& director_;
  int looks_ = 0;
  std::size_t next_ = 0;
};

inline std::unique_ptr<Forecast> FakeDirector::forecast() { return std::make_unique<FakeForecast>(*this); }

class FakeTally : public Tally {
 public:
  explicit FakeTally(const Remaining& counted) : counted_(counted) {}
  std::optional<Remaining> look() override {
    return std::exchange(looked_, true) ? std::optional(counted_) : std::nullopt;
  }

 private:
  Remaining counted_;
  bool looked_ = false;
};

inline std::unique_ptr<Tally> FakeDirector::remaining(const SessionFilter& filter) {
  filters.push_back(filter);
  return std::make_unique<FakeTally>(counted);
}

}  // namespace limpet::api
