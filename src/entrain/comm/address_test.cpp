#include "entrain/comm/address.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "entrain/core/test_refusal.h"

namespace entrain {
namespace {

Place meeting_at(const std::string& address, int size, int local_size) {
  Place place;
  place.address = address;
  place.port = 29500;
  place.size = size;
  place.local_size = local_size;
  return place;
}

class Address : public testing::Test {
 protected:
  void SetUp() override { unsetenv("GLOO_SOCKET_IFNAME"); }
  void TearDown() override { unsetenv("GLOO_SOCKET_IFNAME"); }
};

TEST_F(Address, IsTheOneOfTheWayThere) {
  EXPECT_EQ(own_address_towards(meeting_at("127.0.0.1", 4, 1), ""), "127.0.0.1");
  EXPECT_EQ(own_address_towards(meeting_at("localhost", 4, 4), ""), "127.0.0.1");
}

// 0.0.0.0 is this host, as is the name that a host has for itself.
TEST_F(Address, OfARunOfSeveralHostsIsNoLoopback) {
  EXPECT_EQ(own_address_towards(meeting_at("0.0.0.0", 4, 4), ""), "127.0.0.1");
  const std::string own = own_address_towards(meeting_at("0.0.0.0", 4, 2), "");
  if (own == "127.0.0.1") GTEST_SKIP() << "this machine has no other interface";
  EXPECT_EQ(own.find("127."), std::string::npos) << own;
}

TEST_F(Address, LeadsToTheNameOfItsInterface) {
  EXPECT_EQ(interface_with("127.0.0.1"), "lo");
  EXPECT_EQ(interface_with("192.0.2.1"), "");  // of documentation (RFC 5737)
}

TEST_F(Address, OfAnInterface) {
  setenv("GLOO_SOCKET_IFNAME", "lo", 1);
  EXPECT_EQ(own_address_towards(meeting_at("192.0.2.1", 4, 2), ""), "127.0.0.1");
  setenv("GLOO_SOCKET_IFNAME", "none7", 1);
  EXPECT_EQ(refusal_of<UsageError>([] {
              own_address_towards(meeting_at("127.0.0.1", 4, 2), "");
            }).find("GLOO_SOCKET_IFNAME=none7: no interface of this host that is up has that name"),
            0);
  EXPECT_EQ(own_address_towards(meeting_at("192.0.2.1", 4, 2), "lo"), "127.0.0.1");
}

TEST_F(Address, OfTheInterfaceThatIsAskedFor) {
  EXPECT_EQ(own_address_towards(meeting_at("192.0.2.1", 4, 2), "lo"), "127.0.0.1");
  EXPECT_EQ(own_address_towards(meeting_at("192.0.2.1", 4, 2), "127.0.0.1"), "127.0.0.1");
  const std::string refusal = refusal_of<UsageError>(
      [] { own_address_towards(meeting_at("127.0.0.1", 4, 2), "192.0.2.77"); });
  EXPECT_EQ(refusal.find("interface 192.0.2.77: no interface of this host"), 0) << refusal;
  EXPECT_NE(refusal.find("lo (127.0.0.1)"), refusal.npos) << refusal;
}

TEST_F(Address, RefusesANameThatNobodyKnows) {
  EXPECT_TRUE(refusal_of<CommunicationError>([] {
                own_address_towards(meeting_at("nowhere.invalid", 4, 2), "");
              }).starts_with("MASTER_ADDR=nowhere.invalid: "));
  EXPECT_TRUE(refusal_of<CommunicationError>([] {
                require_known_here("nowhere.invalid");
              }).starts_with("this host does not know nowhere.invalid, where"));
  require_known_here("127.0.0.1");
}

}  // namespace
}  // namespace entrain
