#include "entrain/comm/order.h"

#include <charconv>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

const std::string kGreeting = "entrain order 1 ";
constexpr std::size_t kLongestOrder = 64 << 20;
constexpr std::size_t kLongestLength = 8;  // digits

[[noreturn]] void refuse_order(const std::string& why) {
  throw CommunicationError(
      fmt::format("entrain guard: {}; it is started by `entrain launch --hosts`, from the same "
                  "version of entrain",
                  why));
}

std::size_t number_in(const std::string& text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    refuse_order(fmt::format("'{}' in the order is no number", text.substr(0, 20)));
  }
  return value;
}

// The parts of an order, one after the other.
class Parts {
 public:
  explicit Parts(std::string text) : text_(std::move(text)) {}
  std::string next() {
    const std::size_t end = text_.find('\0', at_);
    if (end == text_.npos) refuse_order("the order is cut short");
    const std::string part = text_.substr(at_, end - at_);
    at_ = end + 1;
    return part;
  }
  bool at_end() const { return at_ == text_.size(); }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

std::size_t read_length(const std::function<std::string(std::size_t)>& read) {
  if (read(kGreeting.size()) != kGreeting) refuse_order("no order came");
  std::string digits;
  for (std::string c; (c = read(1)) != "\n"; digits += c) {
    if (c.empty() || digits.size() == kLongestLength) refuse_order("the order has no length");
  }
  const std::size_t length = number_in(digits);
  if (length > kLongestOrder) refuse_order("the order is too long");
  return length;
}

}  // namespace

std::string print(const Order& order) {
  std::vector<std::string> parts = {order.directory,
                                    order.store_port ? std::to_string(*order.store_port) : "",
                                    std::to_string(order.words.size())};
  parts.insert(parts.end(), order.words.begin(), order.words.end());
  for (const auto& [name, value] : order.variables) parts.push_back(name + "=" + value);
  std::string text;
  for (const std::string& part : parts) text += part + '\0';
  return kGreeting + std::to_string(text.size()) + "\n" + text;
}

Order read_order(const std::function<std::string(std::size_t)>& read) {
  const std::size_t length = read_length(read);
  std::string text = read(length);
  if (text.size() != length) refuse_order("the order is cut short");
  Parts parts(std::move(text));
  Order order;
  order.directory = parts.next();
  const std::string port = parts.next();
  if (!port.empty()) {
    if (number_in(port) > 65535) refuse_order(fmt::format("'{}' is no port", port));
    order.store_port = static_cast<int>(number_in(port));
  }
  for (std::size_t words = number_in(parts.next()); words > 0; --words) {
    order.words.push_back(parts.next());
  }
  if (order.words.empty()) refuse_order("the order has no command");
  while (!parts.at_end()) {
    const std::string entry = parts.next();
    const std::size_t equals = entry.find('=');
    if (equals == entry.npos) refuse_order("the order has a variable without a value");
    order.variables[entry.substr(0, equals)] = entry.substr(equals + 1);
  }
  return order;
}

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace entrain
