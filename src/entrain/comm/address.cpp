#include "entrain/comm/address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <vector>

#include "entrain/comm/variables.h"
#include "entrain/core/environment.h"
#include "entrain/core/errors.h"

namespace entrain {
namespace {

std::string numeric(const sockaddr* address, socklen_t length) {
  char text[NI_MAXHOST] = {};
  return getnameinfo(address, length, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0 ? text
                                                                                          : "";
}

bool is_loopback(const std::string& address) {
  return address == "localhost" || address == "::1" || address.starts_with("127.");
}

struct Interface {
  std::string name, address;
  unsigned flags;
};

// Those that are up, an entry for each address, IPv4 before IPv6.
std::vector<Interface> interfaces() {
  std::vector<Interface> found;
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return found;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> all(first, freeifaddrs);
  for (const int family : {AF_INET, AF_INET6}) {
    for (const ifaddrs* one = first; one; one = one->ifa_next) {
      if (!one->ifa_addr || one->ifa_addr->sa_family != family || !(one->ifa_flags & IFF_UP))
        continue;
      const socklen_t length = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
      found.push_back({one->ifa_name, numeric(one->ifa_addr, length), one->ifa_flags});
    }
  }
  return found;
}

// The address of the interface with that name or address; `asked_by` begins the refusal.
std::string address_of(const std::string& wanted, const std::string& asked_by) {
  const std::vector<Interface> all = interfaces();
  std::vector<std::string> known;
  for (const Interface& one : all) {
    if (one.name == wanted || one.address == wanted) return one.address;
    known.push_back(fmt::format("{} ({})", one.name, one.address));
  }
  throw UsageError(
      fmt::format("{}: no interface of this host that is up has that name or address; it has {}",
                  asked_by, fmt::join(known, ", ")));
}

using Found = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

// Where a name leads to; `refusal` makes the error of the system's reason.
Found look_up(const std::string& name, std::uint16_t port,
              const std::function<std::string(const char*)>& refusal) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(name.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) throw CommunicationError(refusal(gai_strerror(error)));
  return Found(found, freeaddrinfo);
}

// The address from which packets to the meeting place leave.
std::string routed_address(const Place& place) {
  const Found found = look_up(place.address, place.port, [&](const char* why) {
    return fmt::format("MASTER_ADDR={}: {}", place.address, why);
  });
  sockaddr_storage own = {};
  socklen_t length = sizeof own;
  const int probe = socket(found->ai_family, SOCK_DGRAM, 0);  // connecting it sends nothing
  const bool routed = connect(probe, found->ai_addr, found->ai_addrlen) == 0 &&
                      getsockname(probe, reinterpret_cast<sockaddr*>(&own), &length) == 0;
  close(probe);
  const std::string address =
      routed ? numeric(reinterpret_cast<const sockaddr*>(&own), length) : "";
  if (address.empty()) {
    throw CommunicationError(fmt::format("no route to MASTER_ADDR={}", place.address));
  }
  return address;
}

}  // namespace

std::string own_address_towards(const Place& place, const std::string& interface) {
  if (!interface.empty()) return address_of(interface, "interface " + interface);
  const std::string of_gloo = text_of(environment(), "GLOO_SOCKET_IFNAME");
  if (!of_gloo.empty()) return address_of(of_gloo, "GLOO_SOCKET_IFNAME=" + of_gloo);
  std::string routed = routed_address(place);
  const bool spans_hosts = place.local_size < place.size && !is_loopback(place.address);
  if (!spans_hosts || !is_loopback(routed)) return routed;
  // Many systems, Debian among them, know their own host's name as 127.0.1.1.
  for (const Interface& one : interfaces()) {
    if (!(one.flags & (IFF_LOOPBACK | IFF_POINTOPOINT))) return one.address;
  }
  return routed;
}

std::string interface_with(const std::string& address) {
  for (const Interface& one : interfaces()) {
    if (one.address == address) return one.name;
  }
  return "";
}

void require_known_here(const std::string& address) {
  look_up(address, 0, [&](const char* why) {
    return fmt::format(
        "this host does not know {}, where the ranks are to meet: {}; give an "
        "address that all hosts know: launch --address",
        address, why);
  });
}

}  // namespace entrain
