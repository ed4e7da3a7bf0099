#include "entrain/comm/hosts.h"

#include <gtest/gtest.h>

#include "entrain/core/test_refusal.h"

namespace entrain {
namespace {

std::string print_hosts(const std::string& text) {
  std::string out;
  for (const Host& host : parse_hosts(text, "F"))
    out += fmt::format("{}:{} ", host.name, host.slots);
  return out;
}

TEST(Hosts, AreRead) {
  EXPECT_EQ(print_hosts("node1\n"), "node1:1 ");
  EXPECT_EQ(print_hosts("# all\n\n  me@node1 \t slots=4 # big\r\n10.0.0.2#x\nnode-3.example.org"),
            "me@node1:4 10.0.0.2:1 node-3.example.org:1 ");
}

TEST(Hosts, RefusesWhatIsNone) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "F: names no host"},
      {"\n# none\n", "F: names no host"},
      {"a\nb slot=2\n", "F:2: 'slot=2' is not known here; a line is `host` or `host slots=2`"},
      {"a b\n", "F:1: 'b' is not known here"},
      {"a slots=0", "F:1: 'slots=0': slots must be an integer from 1 to 4096"},
      {"a slots=", "F:1: 'slots=': slots must be"},
      {"a slots=2x", "F:1: 'slots=2x': slots must be"},
      {"a slots=-1", "F:1: 'slots=-1': slots must be"},
      {"a slots=4097", "F:1: 'slots=4097': slots must be"},
      {"a slots=2 b", "F:1: 'b' is too much"},
      {"a\n\na slots=2",
       "F:3: 'a' stands in line 1 already; for more than one rank write `a slots="},
      {"-oProxyCommand=reboot", "F:1: '-oProxyCommand=reboot' is no name of a host"},
      {"a;reboot", "F:1: 'a;reboot' is no name of a host"},
      {"$(reboot)", "F:1: '$(reboot)' is no name of a host"},
      {std::string("a\0b", 3), "F:1: 'a"},
  };
  for (const auto& [text, why] : cases) {
    EXPECT_NE(refusal_of([&] { parse_hosts(text, "F"); }).find(why), std::string::npos) << text;
  }
  EXPECT_NE(refusal_of([] { read_hosts("/nowhere/hosts"); }).find("no such file"),
            std::string::npos);
  EXPECT_NE(refusal_of([] { read_hosts("/"); }).find("no such file"), std::string::npos);
}

std::string print_seats(const std::vector<Host>& hosts, int processes) {
  std::string out;
  for (const Seat& seat : seats(hosts, processes)) {
    out += fmt::format("{}:{}:{}/{} ", seat.rank, seat.host, seat.local_rank, seat.local_size);
  }
  return out;
}

TEST(Hosts, RanksSitHostByHost) {
  const std::vector<Host> hosts = {{"a", 2}, {"b", 1}, {"c", 3}};
  EXPECT_EQ(print_seats(hosts, 0), "0:a:0/2 1:a:1/2 2:b:0/1 3:c:0/3 4:c:1/3 5:c:2/3 ");
  EXPECT_EQ(print_seats(hosts, 4), "0:a:0/2 1:a:1/2 2:b:0/1 3:c:0/1 ");
  EXPECT_EQ(print_seats(hosts, 1), "0:a:0/1 ");
  EXPECT_EQ(refusal_of([] { seats_here(0); }), "launch -n 0: at least 1 process");
  EXPECT_EQ(refusal_of([&] { seats(hosts, -1); }), "launch -n -1: at least 1 process");
  EXPECT_EQ(refusal_of([&] { seats(hosts, 7); }),
            "launch -n 7: the hosts have 6 slots; give them more (`a slots=N`) or fewer processes");
}

}  // namespace
}  // namespace entrain
