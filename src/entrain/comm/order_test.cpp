#include "entrain/comm/order.h"

#include <gtest/gtest.h>

#include "entrain/core/test_refusal.h"

namespace entrain {
namespace {

// Hands out a text, and says what was left of it.
struct Source {
  std::string text;
  std::string operator()(std::size_t size) {
    const std::string piece = text.substr(0, size);
    text.erase(0, size);
    return piece;
  }
};

Order read_text(const std::string& text) { return read_order(Source{text}); }

const Order kOrder = {"/some where",
                      {"./it's", "", "a b", "new\nline", "$HOME `x` \"\\", "--x=\xff"},
                      {{"A", ""}, {"RANK", "3"}, {"S", "a=b\n"}},
                      29500};

TEST(Orders, ReadBackAsTheyAre) {
  for (const std::optional<int> port : {std::optional<int>(), {0}, {65535}}) {
    Order order = kOrder;
    order.store_port = port;
    Source source{print(order) + "behind"};
    const Order read = read_order(std::ref(source));
    EXPECT_EQ(read.directory, order.directory);
    EXPECT_EQ(read.words, order.words);
    EXPECT_EQ(read.variables, order.variables);
    EXPECT_EQ(read.store_port, order.store_port);
    EXPECT_EQ(source.text, "behind");
  }
}

TEST(Orders, AnyCutIsRefused) {
  const std::string whole = print(kOrder);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string why =
        refusal_of<CommunicationError>([&] { read_text(whole.substr(0, size)); });
    EXPECT_TRUE(why.starts_with("entrain guard: ")) << size << ": " << why;
  }
}

TEST(Orders, SpoiltOnesAreRefused) {
  const std::string start = "entrain order 1 ";
  const auto with_length = [&](const std::string& body) {
    return start + std::to_string(body.size()) + "\n" + body;
  };
  const std::string zero(1, '\0');
  const std::pair<std::string, std::string> cases[] = {
      {"GET / HTTP/1.1\r\n\r\n ", "no order came"},
      {start + "\n", "'' in the order is no number"},
      {start + "-1\n", "'-1' in the order is no number"},
      {start + "99999999\n", "too long"},
      {start + "999999999999999999999\n", "no length"},
      {start + "0\n", "cut short"},
      {with_length("dir" + zero + zero + "0" + zero), "no command"},
      {with_length("dir" + zero + zero + "2" + zero + "a" + zero), "cut short"},
      {with_length("dir" + zero + zero + "99999999999" + zero), "cut short"},
      {with_length("dir" + zero + "65536" + zero + "1" + zero + "a" + zero), "is no port"},
      {with_length("dir" + zero + "x" + zero + "1" + zero + "a" + zero), "is no number"},
      {with_length("dir" + zero + zero + "1" + zero + "a" + zero + "B" + zero), "without a value"},
      {with_length("dir" + zero + zero + "1" + zero + "a" + zero + "B=1"), "cut short"},
  };
  for (const auto& [text, why] : cases) {
    const std::string refusal = refusal_of<CommunicationError>([&] { read_text(text); });
    EXPECT_NE(refusal.find(why), std::string::npos) << text << ": " << refusal;
  }
}

TEST(Orders, EveryFlippedByteIsRefusedOrRead) {
  const std::string whole = print(kOrder);
  int read = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string text = whole;
    text[i] = static_cast<char>(text[i] ^ 0x10);
    try {
      read_text(text);
      ++read;
    } catch (const CommunicationError&) {
    }
  }
  EXPECT_GT(read, 0);
  EXPECT_LT(read, static_cast<int>(whole.size()));
}

TEST(Orders, QuotedWordsAreOneWordOfAShell) {
  EXPECT_EQ(quoted("/usr/bin/x"), "'/usr/bin/x'");
  EXPECT_EQ(quoted("it's $HOME"), "'it'\\''s $HOME'");
  EXPECT_EQ(quoted(""), "''");
}

}  // namespace
}  // namespace entrain
