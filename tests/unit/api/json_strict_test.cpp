// SPDX-License-Identifier: Apache-2.0
// Reading JSON is strict, and its errors name the field.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/json.h"

namespace limpet::json_codec {
namespace {

using testing::HasSubstr;

std::string refusal_of(std::string_view command) {
  const auto document = parse_text(command, "the body");
  if (!document) return document.error().text;
  const auto read = command_from_json(*document);
  if (read) return "accepted";
  EXPECT_EQ(read.error().code, ErrorCode::bad_request);
  return read.error().text;
}

TEST(StrictJson, a_command_reads_as_documented) {
  const auto command = command_from_json(*parse_text(
      R"({"op":"add-destination","service":"tcp/192.0.2.1:80","destination":{"key":"10.0.0.1:8080","method":"masq"}})",
      "the body"));
  ASSERT_TRUE(command) << command.error().text;
  const auto& add = std::get<AddDestination>(*command);
  EXPECT_EQ(add.service.to_string(), "tcp/192.0.2.1:80");
  EXPECT_EQ(add.destination.key.to_string(), "10.0.0.1:8080");
  EXPECT_EQ(add.destination.method, ForwardingMethod::masq);
  EXPECT_EQ(add.destination.weight, 1u);
}

TEST(StrictJson, defaults_are_those_of_ipvsadm) {
  const auto plain = service_from_json({{"key", "tcp/192.0.2.1:80"}});
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->scheduler, "wlc");
  EXPECT_EQ(plain->timeout, 0u);
  EXPECT_EQ(plain->netmask, 0xffffffffu);
  const auto persistent = service_from_json({{"key", "fwm6/10"}, {"persistent", true}});
  ASSERT_TRUE(persistent);
  EXPECT_EQ(persistent->timeout, kDefaultPersistenceSeconds);
  EXPECT_EQ(persistent->netmask, 128u);
}

TEST(StrictJson, a_netmask_is_written_as_people_write_it) {
  const auto service = service_from_json({{"key", "tcp/192.0.2.1:80"}, {"netmask", "255.255.255.0"}});
  ASSERT_TRUE(service);
  EXPECT_EQ(service->netmask, Address::parse("255.255.255.0")->ipv4_network_order());
  EXPECT_EQ(service_to_json(*service)["netmask"], "255.255.255.0");
}

TEST(StrictJson, an_unknown_field_is_named) {
  EXPECT_EQ(refusal_of(R"({"op":"flush","now":true})"), "the field \"now\" is unknown");
  EXPECT_THAT(refusal_of(R"({"op":"add-service","service":{"key":"fwm/1","wieght":1}})"), HasSubstr("service.wieght"));
}

TEST(StrictJson, a_missing_field_is_named) {
  EXPECT_EQ(refusal_of(R"({"op":"add-service"})"), "the field \"service\" is missing");
  EXPECT_EQ(refusal_of(R"({"op":"add-service","service":{}})"), "the field \"service.key\" is missing");
  EXPECT_EQ(refusal_of("{}"), "the field \"op\" is missing");
}

TEST(StrictJson, a_wrong_type_is_named) {
  EXPECT_THAT(refusal_of(R"({"op":7})"), HasSubstr("\"op\" must be a string"));
  EXPECT_THAT(refusal_of(R"({"op":"add-service","service":{"key":"fwm/1","persistent":1}})"),
              HasSubstr("\"service.persistent\" must be true or false"));
  EXPECT_THAT(refusal_of(R"({"op":"add-service","service":{"key":"fwm/1","scheduler_flags":["flag-1",2]}})"),
              HasSubstr("\"service.scheduler_flags[1]\" must be one of flag-1, flag-2, flag-3"));
  EXPECT_THAT(refusal_of(R"({"op":"add-service","service":[]})"), HasSubstr("\"service\" must be an object"));
  EXPECT_THAT(refusal_of("[]"), HasSubstr("the document must be an object"));
}

TEST(StrictJson, a_number_out_of_range_is_named) {
  for (const char* number : {"-1", "4294967296", "1.5", "1e3", "\"1\"", "null", "18446744073709551616"}) {
    const std::string text = std::string(R"({"op":"set-timeouts","timeouts":{"tcp":)") + number + "}}";
    EXPECT_EQ(refusal_of(text), "the field \"timeouts.tcp\" must be a whole number from 0 to 4294967295") << number;
  }
  EXPECT_EQ(refusal_of(R"({"op":"set-timeouts","timeouts":{"tcp":4294967295}})"), "accepted");
}

TEST(StrictJson, a_key_that_is_none_is_named) {
  EXPECT_THAT(refusal_of(R"({"op":"delete-service","service":"tcp"})"),
              HasSubstr("\"service\" must be a service such"));
  EXPECT_THAT(refusal_of(R"({"op":"delete-destination","service":"fwm/1","destination":"10.0.0.1"})"),
              HasSubstr("\"destination\" must be an address and a port"));
}

TEST(StrictJson, what_is_no_json_is_said_to_be_none) {
  EXPECT_EQ(refusal_of("{"), "the body is not valid JSON");
  EXPECT_EQ(refusal_of("{\"op\":\"\xff\"}"), "the body is not valid JSON");
}

TEST(StrictJson, a_very_long_field_name_is_quoted_in_part) {
  const std::string text = "{\"op\":\"flush\",\"" + std::string(100000, 'x') + "\":1}";
  EXPECT_LT(refusal_of(text).size(), 200u);
}

TEST(StrictJson, depth_alone_breaks_nothing) {
  EXPECT_EQ(refusal_of(std::string(65536, '[')), "the body is not valid JSON");
  EXPECT_THAT(refusal_of(std::string(32768, '[') + std::string(32768, ']')), HasSubstr("must be an object"));
}

TEST(StrictJson, error_texts_with_stray_bytes_still_become_json) {
  EXPECT_NO_THROW(to_text(problem_to_json(Error{ErrorCode::internal, "bad \xff byte"})));
}

}  // namespace
}  // namespace limpet::json_codec
