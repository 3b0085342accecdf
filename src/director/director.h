// SPDX-License-Identifier: Apache-2.0
// The director as its entrances see it: one writer for every change, and views of what is. Single-threaded: all calls
// come from limpetd's event loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/command.h"
#include "model/explanation.h"
#include "model/foresight.h"
#include "model/result.h"
#include "model/session.h"
#include "model/transaction.h"
#include "model/view.h"

namespace limpet {

// Walks connections and templates in pieces, so that a listing of a million never holds the loop or the memory.
template <class View>
class Cursor {
 public:
  virtual ~Cursor() = default;
  // What the next entries of the tables have to show, at most about `limit` of them (a hash bucket is never split). An
  // empty piece is no end, nullopt is: what is asked for may be rare, and the loop is not to wait for it.
  virtual Result<std::optional<std::vector<View>>> next(std::size_t limit) = 0;
};
using ConnectionCursor = Cursor<ConnectionView>;
using SessionCursor = Cursor<SessionView>;

// Walks the services as they were configured when it was made; each one's counts are read when its turn comes.
class ServiceCursor {
 public:
  virtual ~ServiceCursor() = default;
  virtual std::optional<ServiceView> next() = 0;  // nullopt: the end
};

struct DoorStatus {
  std::string interface;
  std::string door;    // "xdp", "tc" or "none"
  std::string reason;  // why this one: "veth: XDP needs a program on the peer"
};

struct TableStatus {
  std::string name;           // "flows4", "templates4", ...
  std::uint64_t entries = 0;  // at the last sweep
  std::uint64_t ceiling = 0;
};

struct Status {
  std::string version;
  std::uint32_t abi = 0;
  std::uint64_t network_namespace = 0;  // SO_NETNS_COOKIE
  std::vector<DoorStatus> doors;
  std::vector<TableStatus> tables;
  std::uint64_t sweep_pass_ms = 0;    // duration of the last full pass over all tables
  std::uint64_t sweep_lag_ms = 0;     // how long after its end an entry was come to in it, at most
  std::vector<std::string> warnings;  // plain sentences: what is wrong and what to do
};

// Many changes as one. Made in pieces, so that a long one never holds the loop; other changes may come in between.
class Transaction {
 public:
  struct Progress {
    bool done = false;
    std::optional<Refusal> refusal;  // when done: nothing has been changed
  };

  virtual ~Transaction() = default;
  // One command more; the error is the one with which it would be refused, and ends the transaction.
  virtual Result<void> add(const Command& command) = 0;
  // Some milliseconds' work towards carrying out what was added; call it until it is done.
  virtual Progress commit() = 0;
};

// What changes would do to the connections and persistent clients there are. Nothing is changed. Made in pieces.
class Forecast {
 public:
  struct Progress {
    bool done = false;
    std::optional<Error> failure;  // when done: why the changes would be refused as a whole
  };

  virtual ~Forecast() = default;
  // One command more; the error is the one with which it would be refused.
  virtual Result<void> add(const Command& command) = 0;
  // Some milliseconds' work on the tables; call it until it is done.
  virtual Progress look() = 0;
  // What was seen, line by line; nullopt: the end. Precondition: done, without a failure.
  virtual std::optional<ForesightLine> next() = 0;
};

// Counts sessions in pieces.
class Tally {
 public:
  virtual ~Tally() = default;
  virtual std::optional<Remaining> look() = 0;  // some milliseconds' work; nullopt: there is more
};

class Director {
 public:
  virtual ~Director() = default;

  // Validates, journals, applies; or changes nothing and says why.
  virtual Result<void> execute(const Command& command) = 0;
  virtual std::unique_ptr<Transaction> begin_transaction() = 0;
  virtual std::unique_ptr<Forecast> forecast() = 0;

  // Some milliseconds' work on what former commands have left to be done, such as taking ten thousand services out of
  // the tables; false: there is more.
  // limpetd sees to it between other work, an entrance before it answers.
  virtual bool settle() = 0;

  virtual std::unique_ptr<ServiceCursor> services() = 0;  // newest first
  virtual Result<ServiceView> service(const ServiceKey& key) = 0;
  virtual Timeouts timeouts() const = 0;
  virtual std::vector<Setting> tunables() const = 0;         // all, by name
  virtual std::vector<SyncDaemon> sync_daemons() const = 0;  // the master first
  virtual std::unique_ptr<ConnectionCursor> connections() = 0;
  virtual std::unique_ptr<SessionCursor> sessions(const SessionFilter& filter) = 0;
  virtual std::unique_ptr<Tally> remaining(const SessionFilter& filter) = 0;
  // Changes nothing. Errors: not_supported, a family or protocol that is not carried.
  virtual Result<Explanation> explain(const ExplainQuestion& question) = 0;
  virtual Status status() = 0;

  // Takes everything out of the kernel (programs, maps, pins, qdiscs, rules, routes, devices, sysctls) and makes
  // limpetd end once the caller has been answered.
  virtual Result<void> unload() = 0;
};

}  // namespace limpet
