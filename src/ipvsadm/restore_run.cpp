// SPDX-License-Identifier: Apache-2.0
// Restores. Commands travel in batches, as many as there are to be read without waiting: a round trip for each would be
// most of the time that a long table takes.
#include "ipvsadm/restore_run.h"

#include <ostream>
#include <utility>
#include <vector>

#include "ipvsadm/messages.h"
#include "ipvsadm/restore.h"

namespace limpet::ipvsadm {
namespace {

constexpr std::size_t kMostInABatch = 2000;

// Commands that were read and are still to be carried out; their outcomes come in the same order.
class Batch {
 public:
  explicit Batch(const Surroundings& in) : in_(in) {}

  void add(Command command) { commands_.push_back(std::move(command)); }
  bool is_full() const { return commands_.size() == kMostInABatch; }
  // What the last one came to; without commands, `before`.
  Executed carry_out(Executed before) {
    if (commands_.empty()) return before;
    const auto outcomes = in_.backend.execute_all(std::exchange(commands_, {}));
    if (!outcomes) return refused(in_, outcomes.error());
    Executed last;
    for (const auto& outcome : *outcomes) {
      last = outcome ? Executed{} : refused(in_, outcome.error());
      if (last.stop) break;
    }
    return last;
  }

 private:
  const Surroundings& in_;
  std::vector<Command> commands_;
};

int mistaken_line(const Surroundings& in, const RestoreLine& line, const ParseFailure& failure) {
  return mistaken(in, {"line " + std::to_string(line.number) + ": " + line.text + ": " + failure.text,
                       failure.exit_code, true})
      .exit_code;
}

}  // namespace

int restore(const Surroundings& in, std::istream& text) {
  RestoreReader lines(text, in.dialect);
  Batch batch(in);
  Executed last;
  while (!last.stop) {
    const auto line = lines.next();
    if (!line) return batch.carry_out(last).exit_code;
    const auto parsed = parse(in.program, line->words, in.names, in.dialect);
    const auto* understood = std::get_if<ParsedCommand>(&parsed);
    const auto* command = understood == nullptr ? nullptr : std::get_if<Command>(understood);
    if (command != nullptr) {
      batch.add(*command);
      if (batch.is_full() || lines.would_wait()) last = batch.carry_out(last);
      continue;
    }
    last = batch.carry_out(last);
    if (last.stop) break;
    last = understood == nullptr ? mistaken(in, std::get<ParseFailure>(parsed)) : carry_out(in, *understood);
  }
  return last.exit_code;
}

int restore_atomically(const Surroundings& in, std::istream& text) {
  RestoreReader reader(text, in.dialect);
  std::vector<RestoreLine> lines;
  std::vector<Command> commands;
  while (auto line = reader.next()) {
    const auto parsed = parse(in.program, line->words, in.names, in.dialect);
    if (const auto* failure = std::get_if<ParseFailure>(&parsed)) return mistaken_line(in, *line, *failure);
    const auto* command = std::get_if<Command>(&std::get<ParsedCommand>(parsed));
    if (command == nullptr) {
      return mistaken_line(in, *line, fail("only commands that change the table can be restored atomically"));
    }
    commands.push_back(*command);
    line->words.clear();
    lines.push_back(std::move(*line));
  }
  const auto refusal = in.backend.transact(commands);
  if (!refusal) return 0;
  if (!refusal->command) return refused(in, refusal->error).exit_code;
  const auto& line = lines[*refusal->command];
  in.streams.err << "line " << line.number << ": " << line.text << ": ";
  return refused(in, refusal->error).exit_code;
}

}  // namespace limpet::ipvsadm
