#include "entrain/comm/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include "entrain/core/errors.h"

namespace entrain {

std::string own_address_towards(const Place& place) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(place.address.c_str(), std::to_string(place.port).c_str(), &hints, &found);
  if (error != 0) {
    throw CommunicationError(fmt::format("MASTER_ADDR={}: {}", place.address, gai_strerror(error)));
  }
  sockaddr_storage own = {};
  socklen_t length = sizeof own;
  const int probe = socket(found->ai_family, SOCK_DGRAM, 0);  // connecting it sends nothing
  const bool routed = connect(probe, found->ai_addr, found->ai_addrlen) == 0 &&
                      getsockname(probe, reinterpret_cast<sockaddr*>(&own), &length) == 0;
  close(probe);
  freeaddrinfo(found);
  char text[NI_MAXHOST] = {};
  if (!routed || getnameinfo(reinterpret_cast<sockaddr*>(&own), length, text, sizeof text, nullptr,
                             0, NI_NUMERICHOST) != 0) {
    throw CommunicationError(fmt::format("no route to MASTER_ADDR={}", place.address));
  }
  return text;
}

}  // namespace entrain
