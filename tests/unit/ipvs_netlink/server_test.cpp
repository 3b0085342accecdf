// SPDX-License-Identifier: Apache-2.0
// A real server on a real unix socket, in a thread of its own as the daemon's loop would be; and clients that are many,
// slow, silent or hostile.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <future>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "ipvs_netlink/server.h"
#include "unit/api/fake_director.h"
#include "unit/ipvs_netlink/messages.h"
#include "unix_socket/network_namespace.h"

namespace limpet::ipvs_netlink {
namespace {

using namespace std::chrono_literals;

class Client {
 public:
  explicit Client(const std::filesystem::path& run_directory)
      : socket_(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) {
    const timeval patience{10, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = run_directory / LIMPET_IPVS_SOCKET;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    connected_ = ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }

  bool connected() const { return connected_; }
  int descriptor() const { return socket_.get(); }
  void send(const Bytes& datagram) const {
    EXPECT_EQ(::send(socket_.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(datagram.size()));
  }
  // Without the end of the connection; empty: that.
  Bytes receive() const {
    Bytes bytes(65536);
    const ssize_t length = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    bytes.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
    return bytes;
  }
  // The errno of the acknowledgement that comes next; -1: there is none.
  int acknowledgement() const {
    const Bytes bytes = receive();
    const auto messages = messages_of(bytes);
    if (messages.size() != 1 || messages[0].message.type != NLMSG_ERROR) return -1;
    return messages[0].error;
  }
  // Reads a list to its end: how many of its messages there were; nullopt: it broke off.
  std::optional<std::size_t> list() const {
    std::size_t count = 0;
    for (;;) {
      const Bytes bytes = receive();
      if (bytes.empty()) return std::nullopt;
      for (const Seen& seen : messages_of(bytes)) {
        if (seen.message.type == NLMSG_DONE) return count;
        if (seen.message.type != LIMPET_IPVS_FAMILY) return std::nullopt;
        ++count;
      }
    }
  }
  // The descriptor that comes with the next answer; -1: none does.
  Descriptor receive_descriptor() const {
    char bytes[256];
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    iovec piece{bytes, sizeof bytes};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC) <= 0) return Descriptor();
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (header == nullptr) return Descriptor();
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return Descriptor(fd);
  }

 private:
  Descriptor socket_;
  bool connected_ = false;
};

Bytes open_file(const std::string& name) {
  Writer writer;
  const auto mark = writer.begin_message(LIMPET_IPVS_OPEN, kAcknowledged, 1, 0);
  writer.append({reinterpret_cast<const std::uint8_t*>(name.c_str()), name.size() + 1});
  writer.end_message(mark);
  return writer.take();
}
const Bytes kInfo = request(
    IPVS_CMD_GET_INFO, [](Writer&) {}, NLM_F_REQUEST);
const Bytes kServices = request(
    IPVS_CMD_GET_SERVICE, [](Writer&) {}, kListed);
Bytes add_service() { return request(IPVS_CMD_NEW_SERVICE, of_service(whole_service())); }

class NetlinkServer : public testing::Test {
 protected:
  NetlinkServer() {
    std::string pattern = (std::filesystem::temp_directory_path() / "limpet-ipvs-XXXXXX").string();
    run_directory_ = ::mkdtemp(pattern.data());
    ::signal(SIGPIPE, SIG_IGN);  // as limpetd does
  }
  ~NetlinkServer() override {
    stop();
    std::filesystem::remove_all(run_directory_);
  }

  // Set `director_` before; the loop's thread has it from here on.
  void start(ServerOptions options = {}) {
    auto socket = listen(run_directory_, std::nullopt);
    ASSERT_TRUE(socket) << socket.error().text;
    server_ = std::make_unique<Server>(loop_, director_, std::move(*socket), options);
    work_.emplace(loop_.get_executor());
    thread_ = std::thread([this] { loop_.run(); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    boost::asio::post(loop_, [this] { server_.reset(); });
    work_.reset();
    thread_.join();
  }
  template <class F>
  auto in_loop(F f) {
    std::promise<decltype(f())> promise;
    boost::asio::post(loop_, [&] { promise.set_value(f()); });
    return promise.get_future().get();
  }
  void eventually_connections(std::size_t count) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (in_loop([&] { return server_->connections(); }) != count) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::sleep_for(1ms);
    }
  }
  void list_services(std::size_t count) {
    ServiceView view;
    view.service.key = ServiceKey::of_address(Protocol::tcp, *Address::parse("192.0.2.1"), Port{80});
    view.service.scheduler = "rr";
    director_.listed.assign(count, view);
  }
  void expect_still_serving() {
    const Client client(run_directory_);
    client.send(kInfo);
    const Bytes bytes = client.receive();
    ASSERT_EQ(messages_of(bytes).size(), 1u);
    EXPECT_EQ(messages_of(bytes)[0].command, IPVS_CMD_SET_INFO);
  }

  std::filesystem::path run_directory_;
  api::FakeDirector director_;
  boost::asio::io_context loop_;
  std::unique_ptr<Server> server_;
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_;
  std::thread thread_;
};

TEST_F(NetlinkServer, serves_one_question_after_the_other_on_one_connection) {
  start();
  const Client client(run_directory_);
  for (int i = 0; i < 100; ++i) {
    client.send(add_service());
    ASSERT_EQ(client.acknowledgement(), 0);
  }
  EXPECT_EQ(in_loop([&] { return director_.commands.size(); }), 100u);
}

TEST_F(NetlinkServer, answers_all_messages_of_a_datagram_in_their_order) {
  start();
  Bytes datagram = add_service();
  const Bytes more = request(IPVS_CMD_FLUSH);
  datagram.insert(datagram.end(), more.begin(), more.end());
  datagram.insert(datagram.end(), {1, 2, 3});  // no message: dropped
  const Client client(run_directory_);
  client.send(datagram);
  EXPECT_EQ(client.acknowledgement(), 0);
  EXPECT_EQ(client.acknowledgement(), 0);
  EXPECT_EQ(in_loop([&] { return director_.commands.size(); }), 2u);
}

TEST_F(NetlinkServer, a_hundred_clients_at_once_get_their_whole_lists) {
  list_services(100);
  start();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(std::make_unique<Client>(run_directory_));
    ASSERT_TRUE(clients.back()->connected());
    clients.back()->send(kServices);
  }
  for (const auto& client : clients) EXPECT_EQ(client->list(), 100u);
}

TEST_F(NetlinkServer, where_there_is_no_room_the_client_that_has_been_idle_for_longest_gives_way) {
  ServerOptions options;
  options.max_connections = 3;
  start(options);
  const Client first(run_directory_);
  const Client second(run_directory_);
  const Client third(run_directory_);
  for (const Client* each : {&first, &second, &third, &first}) {
    each->send(add_service());
    ASSERT_EQ(each->acknowledgement(), 0);
  }
  const Client fourth(run_directory_);
  fourth.send(add_service());
  EXPECT_EQ(fourth.acknowledgement(), 0);
  EXPECT_TRUE(second.receive().empty()) << "the connection ends";
  for (const Client* each : {&first, &third, &fourth}) {
    each->send(add_service());
    EXPECT_EQ(each->acknowledgement(), 0);
  }
}

TEST_F(NetlinkServer, idle_clients_keep_nobody_out) {
  ServerOptions options;
  options.max_connections = 8;
  start(options);
  std::vector<std::unique_ptr<Client>> idle;
  for (int i = 0; i < 100; ++i) {
    idle.push_back(std::make_unique<Client>(run_directory_));
    ASSERT_TRUE(idle.back()->connected());
  }
  expect_still_serving();
  EXPECT_LE(in_loop([&] { return server_->connections(); }), 8u);
}

TEST_F(NetlinkServer, a_client_in_the_middle_of_its_answer_does_not_give_way) {
  list_services(20'000);
  ServerOptions options;
  options.max_connections = 2;
  start(options);
  const Client first(run_directory_);
  const Client second(run_directory_);
  for (const Client* each : {&first, &second}) {
    each->send(kServices);
    ASSERT_FALSE(each->receive().empty());
  }
  const Client third(run_directory_);
  ASSERT_TRUE(third.connected()) << "in the backlog";
  third.send(add_service());
  EXPECT_TRUE(first.list()) << "to its end; then it is idle";
  EXPECT_EQ(third.acknowledgement(), 0);
  EXPECT_TRUE(second.list());
}

TEST_F(NetlinkServer, more_clients_than_allowed_wait_until_one_has_gone) {
  list_services(20'000);
  ServerOptions options;
  options.max_connections = 2;
  start(options);
  auto first = std::make_unique<Client>(run_directory_);
  const Client second(run_directory_);
  for (const Client* each : std::initializer_list<const Client*>{first.get(), &second}) {
    each->send(kServices);
    ASSERT_FALSE(each->receive().empty());
  }
  const Client third(run_directory_);
  third.send(add_service());
  first.reset();
  EXPECT_EQ(third.acknowledgement(), 0);
}

TEST_F(NetlinkServer, a_client_that_does_not_read_holds_nobody_up_and_is_let_go) {
  list_services(20'000);
  ServerOptions options;
  options.answer_timeout = 200ms;
  start(options);
  const Client silent(run_directory_);
  silent.send(kServices);
  expect_still_serving();
  eventually_connections(0);
  EXPECT_EQ(silent.list(), std::nullopt) << "broken off";
}

TEST_F(NetlinkServer, a_client_that_asks_and_never_reads_is_not_listened_to) {
  start();
  const Client client(run_directory_);
  ::fcntl(client.descriptor(), F_SETFL, O_NONBLOCK);
  const Bytes question = add_service();
  std::size_t sent = 0;
  const auto ready_again = [&] {
    pollfd wait{client.descriptor(), POLLOUT, 0};
    return ::poll(&wait, 1, 200) == 1;
  };
  do {
    while (::send(client.descriptor(), question.data(), question.size(), MSG_NOSIGNAL) > 0) ++sent;
  } while (sent < 100'000 && ready_again());
  EXPECT_LT(sent, 100'000u) << "what it may send is bounded";
  expect_still_serving();
}

TEST_F(NetlinkServer, a_list_is_well_formed_while_the_table_changes) {
  list_services(2000);
  start();
  const Client reader(run_directory_);
  reader.send(kServices);
  const Bytes first = reader.receive();  // the list has begun
  const Client writer(run_directory_);
  for (int i = 0; i < 50; ++i) {
    in_loop([&] {
      director_.listed.resize(i % 2 == 0 ? 1 : 4000);
      return 0;
    });
    writer.send(add_service());
    ASSERT_EQ(writer.acknowledgement(), 0);
  }
  EXPECT_EQ(messages_of(first).size() + reader.list().value_or(0), 2000u);
}

TEST_F(NetlinkServer, of_another_network_namespace_there_is_no_family) {
  ServerOptions options;
  options.network_namespace = *own_network_namespace() + 1;
  start(options);
  const Client client(run_directory_);
  client.send(add_service());
  EXPECT_EQ(client.acknowledgement(), ENOENT);
  client.send(open_file("ip_vs"));
  EXPECT_EQ(client.acknowledgement(), ENOENT);
  EXPECT_TRUE(in_loop([&] { return director_.commands.empty(); }));
}

TEST_F(NetlinkServer, the_socket_is_for_its_owner_and_group_only_and_goes_with_the_server) {
  start();
  const auto path = run_directory_ / LIMPET_IPVS_SOCKET;
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms{0660});
  stop();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(NetlinkServer, a_file_is_read_to_its_end_through_a_pipe_which_outlives_the_connection) {
  director_.connection_count = 20'000;
  start();
  Descriptor file;
  {
    const Client client(run_directory_);
    client.send(open_file("ip_vs_conn"));
    file = client.receive_descriptor();
  }
  ASSERT_TRUE(file);
  std::size_t lines = 0;
  char bytes[4096];
  for (ssize_t n = 0; (n = ::read(file.get(), bytes, sizeof bytes)) > 0;) lines += std::count(bytes, bytes + n, '\n');
  EXPECT_EQ(lines, 20'001u);
  eventually_connections(0);
}

TEST_F(NetlinkServer, a_file_that_is_not_read_on_is_not_made) {
  director_.connection_count = 1'000'000;
  start();
  const Client client(run_directory_);
  client.send(open_file("ip_vs_conn"));
  auto file = client.receive_descriptor();
  ASSERT_TRUE(file);
  expect_still_serving();
  std::this_thread::sleep_for(50ms);
  EXPECT_LT(director_.connections_read, 10'000u) << "a pipe and a piece";
  file.reset();
  eventually_connections(1);
}

TEST_F(NetlinkServer, ends_while_lists_and_files_are_being_read) {
  list_services(20'000);
  director_.connection_count = 1'000'000;
  start();
  const Client list(run_directory_);
  list.send(kServices);
  const Client reader(run_directory_);
  reader.send(open_file("ip_vs_conn"));
  const auto file = reader.receive_descriptor();
  expect_still_serving();
  stop();
  EXPECT_EQ(list.list(), std::nullopt);
}

TEST_F(NetlinkServer, random_bytes_do_no_harm) {
  start();
  std::mt19937 engine(7);
  for (int round = 0; round < 300; ++round) {
    const Client client(run_directory_);
    Bytes noise = round % 3 == 0 ? Bytes() : add_service();
    if (round % 3 == 0) noise.resize(1 + engine() % 600);
    for (std::size_t i = 0; i < 4; ++i) noise[engine() % noise.size()] = static_cast<std::uint8_t>(engine());
    client.send(noise);
  }
  const Client client(run_directory_);
  client.send(Bytes(100'000));  // longer than any question
  EXPECT_TRUE(client.receive().empty()) << "the connection ends";
  expect_still_serving();
}

}  // namespace
}  // namespace limpet::ipvs_netlink
