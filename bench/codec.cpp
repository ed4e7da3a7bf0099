#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "bench/bench.h"
#include "entrain/core/seeds.h"
#include "entrain/report/table.h"
#include "entrain/strategy/block_codec.h"
#include "entrain/train/machine.h"

namespace entrain {
namespace {

constexpr std::int64_t kItems = 25'000'000;  // 100 MB of float32

struct Timings {
  std::vector<double> encode, decode;
};

}  // namespace

std::string bench_codec(const BenchOptions& options, bool json) {
  const std::vector<std::pair<std::string, BlockCodecPtr>> codecs = {
      {"bf16", bf16_codec()}, {"fp16", fp16_codec()}, {"int8", int8_codec()},
      {"int4", int4_codec()}, {"fp4", fp4_codec()},   {"qsgd", qsgd_codec(127, 512)}};
  Stream random(1, Purpose::codec);
  std::vector<float> values(kItems), left(kItems), decoded(kItems);
  for (std::int64_t j = 0; j < kItems; ++j) {
    values[j] = static_cast<float>(j < 1'000'000 ? random.normal() : values[j % 1'000'000]);
  }
  std::vector<std::uint8_t> code(kItems * sizeof(float));
  std::vector<double> copy;
  std::map<std::string, Timings> timings;
  for (int run = 0; run < options.pairs; ++run) {
    copy.push_back(
        seconds_of([&] { std::memcpy(left.data(), values.data(), kItems * sizeof(float)); }));
    for (const auto& [name, codec] : codecs) {
      std::memcpy(left.data(), values.data(), kItems * sizeof(float));
      timings[name].encode.push_back(
          seconds_of([&] { codec->encode(left.data(), kItems, 0, {}, code.data()); }));
      timings[name].decode.push_back(
          seconds_of([&] { codec->decode(code.data(), kItems, decoded.data()); }));
    }
  }
  constexpr double gigabytes = kItems * sizeof(float) / 1e9;
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, codec] : codecs) {
    const double encode = median(timings[name].encode), decode = median(timings[name].decode);
    const double bytes = static_cast<double>(codec->bytes(kItems, sizeof(float))) / kItems;
    list.push_back({{"codec", name},
                    {"bytes_per_number", bytes},
                    {"encode_gb_per_second", gigabytes / encode},
                    {"decode_gb_per_second", gigabytes / decode},
                    {"gb_per_second", gigabytes / (encode + decode)}});
    rows.push_back({name, fmt::format("{:.3f}", bytes), fmt::format("{:.2f}", gigabytes / encode),
                    fmt::format("{:.2f}", gigabytes / decode),
                    fmt::format("{:.2f}", gigabytes / (encode + decode))});
  }
  if (json) {
    const nlohmann::ordered_json all = {{"processor", processor()},
                                        {"copy_gb_per_second", gigabytes / median(copy)},
                                        {"codecs", list}};
    return all.dump(2) + "\n";
  }
  return fmt::format(
      "100 MB of float32 on one core of {}; medians of {}; a copy of it: {:.1f} GB/s\n\n{}\n"
      "GB/s are of float32: 0.1 GB / seconds. Encoding leaves what was not said in place.\n",
      processor(), options.pairs, gigabytes / median(copy),
      print_table({"codec", "bytes/number", "encode GB/s", "decode GB/s", "both GB/s"}, rows));
}

}  // namespace entrain
