// SPDX-License-Identifier: Apache-2.0
// The schedulers that have a cursor against plain models of the kernel's (ip_vs_rr.c, ip_vs_wrr.c).
#include <numeric>
#include <random>

#include "fixture.h"

namespace limpet::packet {
namespace {

struct Candidate {
  std::uint32_t id = 0;
  std::uint32_t weight = 0;
};
using List = std::vector<Candidate>;  // the last one added first
constexpr int kHead = -1;

// Keeps the place in the list that the kernel keeps as a pointer: an index, or kHead.
class Model {
 public:
  virtual ~Model() = default;
  virtual std::uint32_t pick(const List& list) = 0;
  // The list has changed; `last` is the last served one's place in it now (kHead: none, or it was first and went).
  virtual void edited(const List& list, int last) = 0;
  [[nodiscard]] int place() const { return place_; }
  [[nodiscard]] virtual std::uint32_t value() const { return 0; }

 protected:
  int place_ = kHead;
};

class RoundRobin : public Model {
 public:
  std::uint32_t pick(const List& list) override {
    const int count = static_cast<int>(list.size());
    for (int step = 1; step <= count; step++) {
      const int at = (place_ + step) % count;
      if (list[static_cast<std::size_t>(at)].weight == 0) continue;
      place_ = at;
      return list[static_cast<std::size_t>(at)].id;
    }
    return 0;
  }
  void edited(const List&, int last) override { place_ = last; }
};

class WeightedRoundRobin : public Model {
 public:
  std::uint32_t pick(const List& list) override {
    if (highest_ == 0) return 0;
    for (;;) {
      while (++place_ < static_cast<int>(list.size())) {
        const Candidate& c = list[static_cast<std::size_t>(place_)];
        if (static_cast<std::int64_t>(c.weight) >= current_) return c.id;
      }
      place_ = kHead;
      current_ -= divisor_;
      if (current_ <= 0) current_ = highest_;
    }
  }
  // ip_vs_wrr_dest_changed(): back to the head, the current weight clamped.
  void edited(const List& list, int) override {
    place_ = kHead;
    std::uint32_t divisor = 0;
    std::uint32_t highest = 0;
    for (const Candidate& c : list) {
      divisor = std::gcd(divisor, c.weight);
      highest = std::max(highest, c.weight);
    }
    divisor_ = divisor == 0 ? 1 : divisor;
    highest_ = highest == 0 ? 0 : highest - (divisor_ - 1);
    if (current_ > highest_ || current_ == 0) {
      current_ = highest_;
    } else if (divisor_ > 1) {
      current_ = current_ / divisor_ * divisor_ + 1;
    }
  }
  [[nodiscard]] std::uint32_t value() const override { return static_cast<std::uint32_t>(current_); }

 private:
  std::int64_t divisor_ = 1, highest_ = 0, current_ = 0;
};

class Scheduling : public SchedulerTest {
 protected:
  List list_of(const Service& service) {
    List list;
    for (const std::uint32_t id : service.servers) list.push_back({id, tables.destination(id).weight});
    return list;
  }

  void expect_order(Service& service, Model& model, int picks) {
    const List list = list_of(service);
    for (int i = 0; i < picks; i++) ASSERT_EQ(next(), model.pick(list)) << "pick " << i << " of " << list.size();
  }

  // What limpetd does: the model's place after the edit is the new generation's start.
  void publish_edited(Service& service, Model& model, int last) {
    model.edited(list_of(service), last);
    service.start_index = model.place() == kHead ? LIMPET_CURSOR_HEAD : static_cast<std::uint32_t>(model.place());
    service.start_value = model.value();
    tables.publish(service);
  }

  void expect_orders_through_edits(limpet_scheduler scheduler, Model& model, std::size_t count, unsigned seed);

  std::mt19937 random_{3};
};

void Scheduling::expect_orders_through_edits(limpet_scheduler scheduler, Model& model, std::size_t count,
                                             unsigned seed) {
  random_.seed(seed);
  Service& service = tables.add(tcp_service(kVip, 80).scheduled(scheduler));
  std::vector<ServerSpec> servers;
  for (std::size_t i = 0; i < count; i++) servers.push_back(route(kServerA).weight(random_() % 6));
  tables.add_servers(service, servers);
  publish_edited(service, model, kHead);
  const int picks = static_cast<int>(std::min<std::size_t>(3 * count + 5, 200));
  expect_order(service, model, picks);
  for (int edit = 0; edit < 6 && !HasFatalFailure(); edit++) {
    int last = model.place();
    const std::size_t which = random_() % service.servers.size();
    switch (random_() % 3) {
      case 0:
        tables.add_server(service, route(kServerA).weight(random_() % 6 * 2));
        last = last == kHead ? kHead : last + 1;
        break;
      case 1:
        tables.weigh(service, service.servers[which], random_() % 9);
        break;
      default:
        if (service.servers.size() == 1) break;
        tables.remove_server(service, service.servers[which]);
        // ip_vs_rr_del_dest(): the one before it counts as the last served.
        if (last >= static_cast<int>(which)) last--;
        break;
    }
    publish_edited(service, model, last);
    expect_order(service, model, picks / 2 + 1);
  }
}

class ListSizes : public Scheduling, public testing::WithParamInterface<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Servers, ListSizes, testing::Values(1, 2, 3, 100, 1000));

TEST_P(ListSizes, rr_serves_them_in_the_kernels_order_through_edits) {
  for (unsigned seed = 0; seed < 4; seed++) {
    RoundRobin model;
    tables.reset();
    expect_orders_through_edits(LIMPET_RR, model, GetParam(), seed);
  }
}

TEST_P(ListSizes, wrr_serves_them_in_the_kernels_order_through_edits) {
  for (unsigned seed = 0; seed < 4; seed++) {
    WeightedRoundRobin model;
    tables.reset();
    expect_orders_through_edits(LIMPET_WRR, model, GetParam(), seed);
  }
}

TEST_F(Scheduling, the_last_server_added_is_the_first_to_serve) {
  Service& service = tables.add(tcp_service(kVip, 80));
  const auto ids = tables.add_servers(service, {route(kServerA), route(kServerB), route(kServerC)});
  EXPECT_EQ(next(), ids[2]);
  EXPECT_EQ(next(), ids[1]);
  EXPECT_EQ(next(), ids[0]);
  EXPECT_EQ(next(), ids[2]);
}

TEST_F(Scheduling, wrr_works_with_the_largest_weights) {
  Service& service = tables.add(tcp_service(kVip, 80).scheduled(LIMPET_WRR));
  const auto ids = tables.add_servers(service, {route(kServerA).weight(2147483647), route(kServerB).weight(1)});
  for (int i = 0; i < 20; i++) EXPECT_EQ(next(), ids[0]);
}

}  // namespace
}  // namespace limpet::packet
