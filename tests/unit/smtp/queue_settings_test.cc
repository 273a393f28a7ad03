// Run-time settings of outgoing mail: defaults, general values, those of one destination, nonsense.
#include "smtp/queue_settings.h"

#include <gtest/gtest.h>

#include "store/run_time_settings.h"
#include "tests/support/world.h"

namespace posthus::smtp {
namespace {

using namespace std::chrono_literals;

struct QueueSettings : ::testing::Test {
  void put(const std::string& name, const std::string& value) { ASSERT_TRUE(world.store->apply(store::PutSetting{name, value})); }
  DestinationSettings of(const std::string& domain) {
    const auto snapshot = world.store->snapshot();
    return *read_destination_settings(store::QueueReader(**snapshot), domain);
  }
  OutgoingSettings outgoing() {
    const auto snapshot = world.store->snapshot();
    return *read_outgoing_settings(store::QueueReader(**snapshot));
  }
  testing::World world;
};

TEST_F(QueueSettings, TheDefaultsAreThoseOfTheTable) {
  const DestinationSettings settings = of("example.org");
  const auto value = [](std::string_view name) {
    for (const store::RunTimeSetting& s : store::run_time_settings()) {
      if (s.name == name) return std::string(s.default_value);
    }
    return std::string("none");
  };
  EXPECT_EQ(std::to_string(settings.retry.first_retry.count()), value("queue.first_retry_seconds"));
  EXPECT_EQ(std::to_string(settings.retry.max_retry.count()), value("queue.max_retry_seconds"));
  EXPECT_EQ(std::to_string(settings.retry.warn.count()), value("queue.warn_seconds"));
  EXPECT_EQ(std::to_string(settings.retry.expire.count()), value("queue.expire_seconds"));
  EXPECT_EQ(std::to_string(settings.connections), value("queue.connections"));
  EXPECT_EQ(std::to_string(settings.messages_per_minute), value("queue.messages_per_minute"));
  EXPECT_EQ(std::to_string(outgoing().total_connections), value("queue.total_connections"));
  EXPECT_EQ(std::to_string(outgoing().host_connections), value("queue.host_connections"));
  EXPECT_EQ(std::to_string(outgoing().connect_deadline.count()), value("queue.connect_seconds"));
  EXPECT_EQ(outgoing().loopback, LoopbackRule::kRefuse);
}

TEST_F(QueueSettings, TheDestinationsOwnValueCountsFirst) {
  put("queue.first_retry_seconds", "60");
  put("queue.first_retry_seconds@example.org", "7");
  EXPECT_EQ(of("example.org").retry.first_retry, 7s);
  EXPECT_EQ(of("other.org").retry.first_retry, 60s);
}

TEST_F(QueueSettings, NonsenseCountsAsNotGiven) {
  put("queue.first_retry_seconds", "60");
  put("queue.first_retry_seconds@example.org", "soon");
  put("queue.connections", "0");
  EXPECT_EQ(of("example.org").retry.first_retry, 60s);
  EXPECT_EQ(of("example.org").connections, 1U);  // none at all would hold mail for ever
}

TEST_F(QueueSettings, SourceAddressesByFamily) {
  put("queue.bind_addresses", "192.0.2.1, 2001:db8::1,192.0.2.2");
  const auto addresses = outgoing().bind_addresses;
  EXPECT_EQ(source_address(addresses, *parse_ip_address("198.51.100.1")), "192.0.2.1");
  EXPECT_EQ(source_address(addresses, *parse_ip_address("2001:db8::2")), "2001:db8::1");
  EXPECT_EQ(source_address({}, *parse_ip_address("2001:db8::2")), "");
}

TEST(RunTimeSettings, NamesAndValuesAreChecked) {
  EXPECT_EQ(*store::normalise_setting_name("queue.connections@B\xC3\xBC"
                                           "cher.Example"),
            "queue.connections@xn--bcher-kva.example");
  EXPECT_EQ(*store::normalise_setting_name("queue.connections@[192.0.2.1]"), "queue.connections@[192.0.2.1]");
  EXPECT_FALSE(store::normalise_setting_name("queue.conections"));
  EXPECT_FALSE(store::normalise_setting_name("queue.total_connections@example.org"));
  EXPECT_FALSE(store::normalise_setting_name("queue.connections@"));
  EXPECT_TRUE(store::check_setting("queue.connections@example.org", "5"));
  EXPECT_TRUE(store::check_setting("queue.connections", ""));
  EXPECT_FALSE(store::check_setting("queue.connections", "-1"));
  EXPECT_FALSE(store::check_setting("queue.connections", "99999999999999999999"));
  EXPECT_FALSE(store::check_setting("queue.bind_addresses", "192.0.2.1,here"));
}

}  // namespace
}  // namespace posthus::smtp
