#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

struct evp_md_ctx_st;

namespace entrain {

/// The SHA-256 of bytes that come in pieces.
class Sha256 {
 public:
  Sha256();

  void add(std::span<const std::uint8_t> bytes);

  /// In hex, of all that was added. No call may follow.
  std::string hex();

 private:
  std::unique_ptr<evp_md_ctx_st, void (*)(evp_md_ctx_st*)> state_;
};

}  // namespace entrain
