#include "entrain/comm/node_list.h"

#include <gtest/gtest.h>

#include "entrain/core/test_refusal.h"

namespace entrain {
namespace {

std::string list_refusal(const std::string& list) {
  return refusal_of([&] { hosts_in(list); });
}

TEST(NodeList, IsWrittenOut) {
  using Names = std::vector<std::string>;
  const std::pair<std::string, Names> cases[] = {
      {"node1", {"node1"}},
      {"a,b", {"a", "b"}},
      {"node[003-005,12]", {"node003", "node004", "node005", "node12"}},
      {"n[9-11]", {"n9", "n10", "n11"}},
      {"n[08-10]", {"n08", "n09", "n10"}},
      {"login,r[1-2]n[0-1]x,z", {"login", "r1n0x", "r1n1x", "r2n0x", "r2n1x", "z"}},
      {"[1-2].example.org", {"1.example.org", "2.example.org"}},
      {"a-b_c[7]", {"a-b_c7"}},
      {"n[5,3]", {"n5", "n3"}},  // in the order of the list: rank 0 is on the first
  };
  for (const auto& [list, hosts] : cases) EXPECT_EQ(hosts_in(list), hosts) << list;
  EXPECT_EQ(hosts_in("n[1-100000]").size(), 100000u);
}

TEST(NodeList, RefusesWhatIsNone) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "an empty name"},
      {",", "an empty name"},
      {"a,", "an empty name"},
      {"a,,b", "an empty name"},
      {"a[", "brackets do not match"},
      {"a]", "brackets do not match"},
      {"a[1", "brackets do not match"},
      {"a[1]]", "brackets do not match"},
      {"a[[1]]", "brackets do not match"},
      {"a[1,[2]]", "brackets do not match"},
      {"a[]", "'' is no range"},
      {"a[1,]", "'' is no range"},
      {"a[-]", "'-' is no range"},
      {"a[1-]", "'1-' is no range"},
      {"a[-1]", "'-1' is no range"},
      {"a[1--2]", "'1--2' is no range"},
      {"a[1-2-3]", "'1-2-3' is no range"},
      {"a[5-3]", "'5-3' is no range"},
      {"a[x]", "'x' is no range"},
      {"a[1 -2]", "'1 -2' is no range"},
      {"a[0x1]", "'0x1' is no range"},
      {"a[1-9999999999]", "'1-9999999999' is no range"},
      {"a b", "a character that no host's name has"},
      {"$(reboot)", "a character that no host's name has"},
      {"a;b", "a character that no host's name has"},
      {"a\nb", "a character that no host's name has"},
  };
  for (const auto& [list, why] : cases) {
    const std::string refusal = list_refusal(list);
    EXPECT_TRUE(refusal.starts_with("'" + list + "': " + why)) << list << ": " << refusal;
  }
}

TEST(NodeList, RefusesMoreHostsThanThereAre) {
  std::string ranges = "a[0-999998";
  for (int i = 0; i < 1000; ++i) ranges += ",0-999998";
  for (const std::string& list :
       {std::string("a[0-999999999]"), std::string("a[0-1000000]"), ranges + "]",
        std::string("a[0-9999]b[0-9999]c[0-9999]"), std::string("a[0-999998],b[0-9]")}) {
    EXPECT_NE(list_refusal(list).find("more than a million hosts"), std::string::npos);
  }
  EXPECT_LT(list_refusal(std::string(1 << 20, '[')).size(), 300u) << "a long list is cut";
}

TEST(NodeList, TasksOfANode) {
  const std::tuple<std::string, int, int> cases[] = {
      {"4", 0, 4},       {"4(x2),3", 0, 4}, {"4(x2),3", 1, 4},
      {"4(x2),3", 2, 3}, {"1,2,3", 1, 2},   {"2(x999999999)", 999999998, 2},
  };
  for (const auto& [list, node, tasks] : cases) EXPECT_EQ(tasks_on_node(list, node), tasks) << list;
  for (const std::string list :
       {"", "4(x2),3,", "x", "4(x", "4(x)", "4(x2", "4()", "-1", "4(x-1)"}) {
    EXPECT_TRUE(refusal_of([&] { tasks_on_node(list, 3); }).starts_with("'" + list + "': has no"))
        << list;
  }
}

}  // namespace
}  // namespace entrain
