// A delay line between pairs of network namespaces, for kernels without sch_netem.
//
//   delayline DELAY_US LOSS_PPM NS_A:IF_A,NS_B:IF_B [NS_C:IF_C,NS_D:IF_D ...]
//
// For every pair it makes the TAP device IF_A in the namespace NS_A and IF_B in NS_B (names under
// /run/netns), and carries each frame that leaves one to the other, DELAY_US later, both ways; it
// drops LOSS_PPM of a million. Frames keep their virtio header, and checksums and TSO stay
// offloaded, so that 64 KiB of TCP pass in one system call. Prints "ready" once the devices exist;
// ends on SIGTERM or SIGINT, or when a device is removed.
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t kLargestFrame = 80 << 10;               // 64 KiB of TCP and its headers
constexpr std::size_t kBytesAtMost = std::size_t{256} << 20;  // in flight, each way
constexpr int kFramesAtOnce = 64;  // of one device, before the others' turn

std::int64_t now() {  // nanoseconds of CLOCK_MONOTONIC
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "%s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

// Splits `text` at the first `mark`; without one the call was not ours.
std::pair<std::string, std::string> split(const std::string& text, char mark) {
  const auto at = text.find(mark);
  if (at == std::string::npos) {
    std::fprintf(stderr, "%s: expected NS_A:IF_A,NS_B:IF_B\n", text.c_str());
    std::exit(2);
  }
  return {text.substr(0, at), text.substr(at + 1)};
}

void enter(const std::string& network_namespace) {
  const std::string path = "/run/netns/" + network_namespace;
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 || setns(descriptor, CLONE_NEWNET) != 0) fail(path);
  close(descriptor);
}

// `place` is NAMESPACE:INTERFACE. Leaves this process in that namespace.
int open_tap(const std::string& place) {
  const auto [network_namespace, interface] = split(place, ':');
  enter(network_namespace);
  const int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (tap < 0) fail("/dev/net/tun");
  ifreq request{};
  interface.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  if (ioctl(tap, TUNSETIFF, &request) != 0) fail("TUNSETIFF " + place);
  if (ioctl(tap, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) != 0) fail("TUNSETOFFLOAD");
  return tap;
}

// One direction of a link.
class Line {
 public:
  Line(int from, int to) : from_(from), to_(to) {}

  int from() const { return from_; }
  std::int64_t next_due() const { return frames_.empty() ? INT64_MAX : frames_.front().due; }

  // Takes in what has left the device, but for what is lost.
  template <class Lost>
  void take(std::int64_t delay, Lost lost) {
    static std::vector<std::uint8_t> buffer(kLargestFrame);
    for (int i = 0; i < kFramesAtOnce; ++i) {
      const ssize_t size = read(from_, buffer.data(), buffer.size());
      if (size <= 0) return;
      if (bytes_ + static_cast<std::size_t>(size) > kBytesAtMost || lost()) continue;
      bytes_ += static_cast<std::size_t>(size);
      frames_.push_back({now() + delay, {buffer.begin(), buffer.begin() + size}});
    }
  }

  void deliver(std::int64_t time) {
    for (; next_due() <= time; frames_.pop_front()) {
      const auto& data = frames_.front().data;
      bytes_ -= data.size();
      // A device that is down, or whose queue is full, loses the frame, as a link does.
      [[maybe_unused]] const ssize_t written = write(to_, data.data(), data.size());
    }
  }

 private:
  struct Frame {
    std::int64_t due;
    std::vector<std::uint8_t> data;
  };

  int from_, to_;
  std::deque<Frame> frames_;
  std::size_t bytes_ = 0;
};

volatile sig_atomic_t ended = 0;

void end_on(int signal) {
  struct sigaction action {};
  action.sa_handler = [](int) { ended = 1; };
  sigaction(signal, &action, nullptr);
}

// Makes `timer` readable at `time`, or never if that is INT64_MAX.
void set(int timer, std::int64_t time) {
  itimerspec at{};
  if (time != INT64_MAX) {
    at.it_value.tv_sec = time / 1'000'000'000;
    at.it_value.tv_nsec = time % 1'000'000'000;
  }
  timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, nullptr);
}

std::vector<pollfd> waited_for(const std::vector<Line>& lines, int timer) {
  std::vector<pollfd> all;
  for (const Line& line : lines) all.push_back({line.from(), POLLIN, 0});
  all.push_back(
      {timer, POLLIN, 0});  // setting it anew makes it unreadable: nobody needs to read it
  return all;
}

void carry(std::vector<Line>& lines, std::int64_t delay, std::uint32_t loss_ppm) {
  std::mt19937 random(12345);
  const auto lost = [&] { return loss_ppm > 0 && random() % 1'000'000 < loss_ppm; };
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (timer < 0) fail("timerfd_create");
  std::vector<pollfd> waited = waited_for(lines, timer);
  while (!ended) {
    std::int64_t next = INT64_MAX;
    for (const Line& line : lines) next = std::min(next, line.next_due());
    set(timer, next);
    if (poll(waited.data(), waited.size(), -1) < 0) {
      if (errno == EINTR) continue;
      fail("poll");
    }
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (waited[i].revents & POLLERR) return;  // the device is no more
      if (waited[i].revents & POLLIN) lines[i].take(delay, lost);
    }
    const std::int64_t time = now();
    for (Line& line : lines) line.deliver(time);
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 4) {
    std::fprintf(stderr, "usage: delayline DELAY_US LOSS_PPM NS_A:IF_A,NS_B:IF_B ...\n");
    return 2;
  }
  end_on(SIGTERM);
  end_on(SIGINT);
  std::vector<Line> lines;
  for (int i = 3; i < count; ++i) {
    const auto [one, other] = split(arguments[i], ',');
    const int a = open_tap(one);
    const int b = open_tap(other);
    lines.emplace_back(a, b);
    lines.emplace_back(b, a);
  }
  std::puts("ready");
  std::fflush(stdout);
  carry(lines, std::atoll(arguments[1]) * 1000,
        static_cast<std::uint32_t>(std::atol(arguments[2])));
}
