// SPDX-License-Identifier: Apache-2.0
// Weight 0, then looking on until nothing is left.
#include "programs/limpet_drain.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "api/client.h"
#include "ipvsadm/save.h"
#include "programs/limpet_drain_progress.h"
#include "programs/limpet_print.h"
#include "programs/limpet_text.h"

namespace limpet {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kLook{1};
constexpr std::chrono::seconds kLine{10};  // without a terminal
constexpr int kDeadlineShare = 20;         // counting deadlines walks the tables: a twentieth of the time at most

volatile sig_atomic_t g_interrupted = 0;
void interrupted(int) { g_interrupted = 1; }

// Ctrl-C counts only while nothing is under way: no request is cut off.
class Interruptions {
 public:
  Interruptions() {
    struct sigaction action {};
    action.sa_handler = interrupted;
    sigset_t mine;
    sigemptyset(&mine);
    for (const int signal : {SIGINT, SIGTERM}) {
      sigaction(signal, &action, nullptr);
      sigaddset(&mine, signal);
    }
    sigprocmask(SIG_BLOCK, &mine, &outside_);
  }
  // False: interrupted.
  bool sleep(std::chrono::nanoseconds time) const {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
    const timespec wait{seconds.count(), (time - seconds).count()};
    if (g_interrupted == 0) ppoll(nullptr, 0, &wait, &outside_);
    return g_interrupted == 0;
  }

 private:
  sigset_t outside_{};
};

// A server as one of the services has it.
struct Place {
  ServiceKey service;
  Destination server;        // as it was
  std::string refuses = "";  // the service's scheduler, if it refuses whom it leads to a server of weight 0
};

// ip_vs_sh.c, ip_vs_mh.c, ip_vs_dh.c: without a fallback the bucket of a server of weight 0 is nobody's. maglev gives
// it none.
std::string refusing_scheduler(const Service& service) {
  const bool falls_back = (service.scheduler_flags & sched_flag_1) != 0 && service.scheduler != "dh";
  return hashed_by(service) == Hashed::nothing || falls_back || service.scheduler == "maglev" ? "" : service.scheduler;
}

std::string name(const Place& place) {
  return text::endpoint(place.server.key.address, place.server.key.port) + " of " + text::name(place.service);
}

bool is_meant(const ServerName& name, const DestinationKey& key) {
  return name.address == key.address && (!name.port || *name.port == key.port);
}

Result<std::vector<Place>> places_of(api::Client& client, const DrainGoal& goal) {
  const auto services = client.services();
  if (!services) return services.error();
  std::vector<Place> places;
  for (const ServiceView& view : *services) {
    const ServiceKey& key = view.service.key;
    if (!goal.services.empty() && std::find(goal.services.begin(), goal.services.end(), key) == goal.services.end())
      continue;
    for (const DestinationView& server : view.destinations)
      if (is_meant(goal.server, server.destination.key))
        places.push_back({key, server.destination, refusing_scheduler(view.service)});
  }
  for (const ServiceKey& key : goal.services) {
    const bool is_there = std::any_of(services->begin(), services->end(),
                                      [&](const ServiceView& view) { return view.service.key == key; });
    if (!is_there) return Error{ErrorCode::no_such_service, "there is no service " + text::name(key)};
    const bool has_it =
        std::any_of(places.begin(), places.end(), [&](const Place& place) { return place.service == key; });
    if (!has_it)
      return Error{ErrorCode::no_such_destination, text::name(key) + " has no real server " + goal.server.to_string()};
  }
  if (places.empty())
    return Error{ErrorCode::no_such_destination, "no service has a real server " + goal.server.to_string()};
  std::sort(places.begin(), places.end(), [](const Place& left, const Place& right) {
    return std::pair(left.service, left.server.key) < std::pair(right.service, right.server.key);
  });
  return places;
}

Result<void> quiesce(api::Client& client, const std::vector<Place>& places) {
  std::vector<Command> commands;
  for (const Place& place : places) {
    if (place.server.weight == 0) continue;
    Destination quiet = place.server;
    quiet.weight = 0;
    commands.push_back(EditDestination{place.service, quiet});
  }
  if (commands.empty()) return {};
  const auto refusal = client.transact(commands);
  return refusal ? Result<void>(refusal->error) : Result<void>();
}

std::string quiesced(const std::vector<Place>& places) {
  std::string text;
  std::string back;
  const ipvsadm::SystemNames names;
  for (const Place& place : places) {
    if (!place.refuses.empty())
      text += fmt::format("{}: {} has no fallback, new clients that it leads there are refused\n", name(place),
                          place.refuses);
    if (place.server.weight == 0) {
      text += fmt::format("{}: weight 0 already\n", name(place));
      continue;
    }
    text += fmt::format("{}: weight {} → 0\n", name(place), place.server.weight);
    back +=
        "  limpetadm -e " + ipvsadm::saved_server(place.service, place.server, true, names, ipvsadm::kLimpetadm) + "\n";
  }
  return back.empty() ? text : text + "The weight stays 0 whatever becomes of this command. To put it back:\n" + back;
}

// What all places have left. Errors: somebody else has given one a weight.
Result<DrainProgress::Left> look(api::Client& client, const std::vector<Place>& places) {
  DrainProgress::Left left;
  for (const Place& place : places) {
    const auto view = client.service(place.service);
    if (!view && view.error().code == ErrorCode::no_such_service) continue;  // removed meanwhile: nothing to wait for
    if (!view) return view.error();
    for (const DestinationView& server : view->destinations) {
      if (server.destination.key != place.server.key) continue;
      if (server.destination.weight != 0)
        return Error{ErrorCode::invalid, fmt::format("the weight of {} is {} again: it is not drained any more",
                                                     name(place), server.destination.weight)};
      left.active += server.active;
      left.inactive += server.inactive;
      left.clients += server.persistent;
    }
  }
  return left;
}

Result<Remaining> deadlines(api::Client& client, const std::vector<Place>& places) {
  Remaining all;
  for (const Place& place : places) {
    SessionFilter filter;
    filter.service = place.service;
    filter.server = ServerName{place.server.key.address, std::nullopt};
    const auto remaining = client.remaining(filter);
    if (!remaining) return remaining.error();
    all.connections_last = std::max(all.connections_last, remaining->connections_last);
    all.clients_last = std::max(all.clients_last, remaining->clients_last);
  }
  return all;
}

// A bar that is drawn anew, or a line now and then.
class Display {
 public:
  void show(const DrainProgress& progress, Clock::time_point now) {
    if (is_terminal_) {
      winsize size{};
      const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
      (void)print("\r\033[K" + progress.bar_line(known ? size.ws_col : 0));
      std::fflush(stdout);
    } else if (now >= next_line_) {
      (void)print(progress.line() + "\n");
      std::fflush(stdout);
      next_line_ = now + kLine;
    }
  }
  void end() const {
    if (is_terminal_) (void)print("\n");
  }

 private:
  bool is_terminal_ = isatty(STDOUT_FILENO) == 1;
  Clock::time_point next_line_{};
};

}  // namespace

Result<int> drain(const std::filesystem::path& run_directory, const DrainArguments& arguments) {
  const auto goal = read_drain_arguments(arguments);
  if (!goal) return goal.error();
  auto client = api::Client::connect(run_directory);
  if (!client) return client.error();
  const auto places = places_of(*client, *goal);
  if (!places) return places.error();
  const Interruptions interruptions;
  if (const auto done = quiesce(*client, *places); !done) return done.error();
  bool all = print(quiesced(*places));

  const auto begin = Clock::now();
  const auto seconds = [begin](Clock::time_point at) { return std::chrono::duration<double>(at - begin).count(); };
  DrainProgress progress(goal->clients_too);
  Display display;
  auto next_deadlines = begin;
  for (;;) {
    const auto left = look(*client, *places);
    if (!left) {
      display.end();
      return left.error();
    }
    const auto now = Clock::now();
    progress.add(seconds(now), *left);
    if (now >= next_deadlines && !progress.is_drained()) {
      const auto remaining = deadlines(*client, *places);
      if (!remaining) {
        display.end();
        return remaining.error();
      }
      progress.add_deadlines(seconds(now), *remaining);
      next_deadlines = Clock::now() + std::max<Clock::duration>(kLook, kDeadlineShare * (Clock::now() - now));
    }
    display.show(progress, now);
    const auto end = [&](const std::string& sentence, int exit_code) -> Result<int> {
      display.end();
      all = print(sentence) && all;
      if (const auto written = printed(all); !written) return written.error();
      return exit_code;
    };
    const std::string server = goal->server.to_string();
    if (progress.is_drained())
      return end(fmt::format("{} is drained{}; its weight stays 0.\n", server,
                             left->clients == 0 ? "" : fmt::format(", but for {} persistent clients", left->clients)),
                 0);
    if (goal->seconds && seconds(now) >= *goal->seconds)
      return end(fmt::format("{} is not drained within {}: {} left; its weight stays 0.\n", server,
                             text::duration(*goal->seconds), progress.left()),
                 kNotDrained);
    std::chrono::nanoseconds wait = kLook;
    if (goal->seconds)
      wait = std::min(wait, std::chrono::nanoseconds(begin + std::chrono::seconds(*goal->seconds) - now));
    if (!interruptions.sleep(wait))
      return end(fmt::format("Interrupted: {} left; its weight stays 0.\n", progress.left()), kInterrupted);
  }
}

}  // namespace limpet
