// SPDX-License-Identifier: Apache-2.0
// What a real kernel's ip_vs chose through a service's life: recorded_steps.txt.
#include <fstream>
#include <sstream>

#include "steps.h"

namespace limpet::packet {
namespace {

struct Line {
  std::string name, service, options, steps, chosen;
};

// NAME, service, options, steps and who was chosen, separated by tabs.
std::vector<Line> recorded() {
  std::ifstream file(RECORDED_STEPS);
  std::vector<Line> lines;
  for (std::string text; std::getline(file, text);) {
    if (text.empty() || text[0] == '#') continue;
    std::istringstream in(text);
    Line line;
    for (std::string* field : {&line.name, &line.service, &line.options, &line.steps, &line.chosen})
      std::getline(in, *field, '\t');
    lines.push_back(line);
  }
  return lines;
}

TEST_F(Steps, lead_to_the_servers_that_the_kernel_chose) {
  const std::vector<Line> lines = recorded();
  ASSERT_FALSE(lines.empty());
  for (const Line& line : lines) {
    tables.reset();
    EXPECT_EQ(play(line.service, line.options, line.steps), line.chosen)
        << line.name << ": " << line.service << ' ' << line.options << '\n'
        << line.steps;
  }
}

}  // namespace
}  // namespace limpet::packet
