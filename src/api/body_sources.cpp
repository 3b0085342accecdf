// SPDX-License-Identifier: Apache-2.0
// The long bodies, each made in slices of a few milliseconds.
#include "api/body_sources.h"

#include <functional>
#include <utility>

#include "api/command_text.h"
#include "api/json_array.h"
#include "json/json.h"

namespace limpet::api {
namespace {

using json_codec::to_text;

constexpr std::size_t kEntriesAPiece = 2048;

// Looks and writes service by service and destination by destination, so that neither many services nor many real
// servers of one make a long turn.
class ServiceText : public BodySource {
 public:
  using Fetch = std::function<std::optional<ServiceView>()>;
  // `fetch` answers one service after another, and nothing behind the last.
  ServiceText(Fetch fetch, bool as_list) : fetch_(std::move(fetch)), as_list_(as_list) {}

  std::optional<std::string> next() override {
    if (done_) return std::nullopt;
    std::string piece;
    const Turn turn;
    do {
      step(piece);
    } while (!done_ && !is_full(piece, turn));
    return piece;
  }

 private:
  void step(std::string& piece) {
    if (!view_) {
      begin(piece);
    } else if (destination_ < view_->destinations.size()) {
      if (destination_ > 0) piece += ',';
      piece += to_text(json_codec::destination_view_to_json(view_->destinations[destination_++]));
    } else {
      piece += "]}";
      view_.reset();
    }
  }

  void begin(std::string& piece) {
    view_ = fetch_();
    if (as_list_ && !any_) piece += '[';
    if (!view_) {
      if (as_list_) piece += ']';
      done_ = true;
      return;
    }
    if (as_list_ && any_) piece += ',';
    any_ = true;
    destination_ = 0;
    piece += to_text(json_codec::service_view_head_to_json(*view_));
    piece.back() = ',';  // instead of the closing brace
    piece += "\"destinations\":[";
  }

  Fetch fetch_;
  bool as_list_;
  std::optional<ServiceView> view_;
  std::size_t destination_ = 0;
  bool any_ = false;
  bool done_ = false;
};

// A view a line.
template <class View>
class Lines : public BodySource {
 public:
  using ToJson = json_codec::Json (*)(const View&);
  Lines(std::unique_ptr<Cursor<View>> cursor, ToJson to_json) : cursor_(std::move(cursor)), to_json_(to_json) {}

  std::optional<std::string> next() override {
    if (done_) return std::nullopt;
    if (position_ == views_.size()) return fetch();
    std::string piece;
    const Turn turn;
    while (position_ < views_.size() && !is_full(piece, turn)) {
      piece += to_text(to_json_(views_[position_++]));
      piece += '\n';
    }
    return piece;
  }

 private:
  // Reading the kernel's tables is a turn of its own, with as many batches as it has time for: of a narrowed listing
  // most batches are empty.
  std::optional<std::string> fetch() {
    views_.clear();
    position_ = 0;
    const Turn turn;
    do {
      auto piece = cursor_->next(kEntriesAPiece);
      if (!piece) {
        done_ = true;
        return to_text({{"problem", json_codec::problem_to_json(piece.error())}}) + "\n";
      }
      done_ = !*piece;
      if (done_) return std::nullopt;
      views_ = std::move(**piece);
    } while (views_.empty() && !turn.over());
    return std::string();
  }

  std::unique_ptr<Cursor<View>> cursor_;
  ToJson to_json_;
  std::vector<View> views_;
  std::size_t position_ = 0;
  bool done_ = false;
};

class Count : public BodySource {
 public:
  explicit Count(std::unique_ptr<Tally> tally) : tally_(std::move(tally)) {}

  // A blank between the slices: that it cannot be sent shows that nobody waits any more.
  std::optional<std::string> next() override {
    if (done_) return std::nullopt;
    const auto remaining = tally_->look();
    if (!remaining) return " ";
    done_ = true;
    return to_text(json_codec::remaining_to_json(*remaining));
  }

 private:
  std::unique_ptr<Tally> tally_;
  bool done_ = false;
};

// Reads, carries out and answers command by command: a megabyte of JSON at once would hold the loop too long.
class CommandRun : public BodySource {
 public:
  CommandRun(Director& director, std::string text) : director_(director), text_(std::move(text)) {}
  // The views of split_array() point into the text, which therefore stays where it is.
  Result<void> prepare() {
    auto commands = split_array(text_, kMostCommands);
    if (!commands) return commands.error();
    commands_ = std::move(*commands);
    return {};
  }

  std::optional<std::string> next() override {
    if (done_) return std::nullopt;
    std::string piece = opened_ ? "" : "[";
    opened_ = true;
    const Turn turn;
    // What a command has left to be done comes before the next one, and before the answer.
    while (director_.settle() && position_ < commands_.size() && !is_full(piece, turn)) {
      if (position_ > 0) piece += ',';
      const auto outcome = carry_out(commands_[position_++]);
      piece += outcome ? "null" : to_text(json_codec::problem_to_json(outcome.error()));
    }
    done_ = position_ == commands_.size() && director_.settle();
    if (done_) piece += ']';
    return piece;
  }

 private:
  Result<void> carry_out(std::string_view text) {
    const auto command = command_in(text);
    if (!command) return command.error();
    return director_.execute(*command);
  }

  Director& director_;
  std::string text_;
  std::vector<std::string_view> commands_;
  std::size_t position_ = 0;
  bool opened_ = false;
  bool done_ = false;
};

}  // namespace

std::unique_ptr<BodySource> service_list(Director& director) {
  auto next = [services = std::shared_ptr<ServiceCursor>(director.services())] { return services->next(); };
  return std::make_unique<ServiceText>(std::move(next), /*as_list=*/true);
}

std::unique_ptr<BodySource> single_service(ServiceView service) {
  auto once = [view = std::optional(std::move(service))]() mutable { return std::exchange(view, std::nullopt); };
  return std::make_unique<ServiceText>(std::move(once), /*as_list=*/false);
}

std::unique_ptr<BodySource> connection_lines(std::unique_ptr<ConnectionCursor> cursor) {
  return std::make_unique<Lines<ConnectionView>>(std::move(cursor), json_codec::connection_to_json);
}

std::unique_ptr<BodySource> session_lines(std::unique_ptr<SessionCursor> cursor) {
  return std::make_unique<Lines<SessionView>>(std::move(cursor), json_codec::session_to_json);
}

std::unique_ptr<BodySource> remaining_count(std::unique_ptr<Tally> tally) {
  return std::make_unique<Count>(std::move(tally));
}

Result<std::unique_ptr<BodySource>> command_run(Director& director, std::string commands) {
  auto run = std::make_unique<CommandRun>(director, std::move(commands));
  if (auto prepared = run->prepare(); !prepared) return prepared.error();
  return std::unique_ptr<BodySource>(std::move(run));
}

}  // namespace limpet::api
