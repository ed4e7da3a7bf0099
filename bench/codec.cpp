#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>

#include "bench/bench.h"
#include "entrain/comm/lossless_code.h"
#include "entrain/core/seeds.h"
#include "entrain/report/table.h"
#include "entrain/strategy/block_codec.h"
#include "entrain/train/machine.h"

namespace entrain {
namespace {

constexpr std::int64_t kItems = 25'000'000;  // 100 MB of float32
constexpr double kMoved = 1e-3;              // since the last mean, beside their deviation

struct CodecLine {
  std::string name;
  std::function<std::int64_t(float* values, std::uint8_t* code)> encode;  // returns bytes
  std::function<void(const std::uint8_t* code, std::int64_t bytes, float* values)> decode;
  std::vector<double> encode_seconds = {}, decode_seconds = {};
  std::int64_t bytes = 0;
};

CodecLine in_blocks(const std::string& name, const BlockCodecPtr& codec) {
  return {name,
          [codec](float* values, std::uint8_t* code) {
            codec->encode(values, kItems, 0, {}, code);
            return codec->bytes(kItems, sizeof(float));
          },
          [codec](const std::uint8_t* code, std::int64_t, float* values) {
            codec->decode(code, kItems, values);
          }};
}

CodecLine lossless(const std::vector<float>& expected) {
  return {"lossless",
          [&expected](float* values, std::uint8_t* code) {
            return encode_lossless(values, expected.data(), kItems, code);
          },
          [&expected](const std::uint8_t* code, std::int64_t bytes, float* values) {
            decode_lossless(code, bytes, expected.data(), kItems, values);
          }};
}

}  // namespace

std::string bench_codec(const BenchOptions& options, bool json) {
  Stream random(1, Purpose::codec);
  std::vector<float> values(kItems), expected(kItems), left(kItems), decoded(kItems);
  for (std::int64_t j = 0; j < kItems; ++j) {
    const bool drawn = j < 1'000'000;
    values[j] = drawn ? static_cast<float>(random.normal()) : values[j % 1'000'000];
    expected[j] =
        drawn ? values[j] + static_cast<float>(kMoved * random.normal()) : expected[j % 1'000'000];
  }
  std::vector<CodecLine> lines = {in_blocks("bf16", bf16_codec()),
                                  in_blocks("fp16", fp16_codec()),
                                  in_blocks("int8", int8_codec()),
                                  in_blocks("int4", int4_codec()),
                                  in_blocks("fp4", fp4_codec()),
                                  in_blocks("qsgd", qsgd_codec(127, 512)),
                                  lossless(expected)};
  std::vector<std::uint8_t> code(most_lossless_bytes(kItems, sizeof(float)));
  std::vector<double> copy;
  for (int run = 0; run < options.pairs; ++run) {
    copy.push_back(
        seconds_of([&] { std::memcpy(left.data(), values.data(), kItems * sizeof(float)); }));
    for (CodecLine& line : lines) {
      std::memcpy(left.data(), values.data(), kItems * sizeof(float));
      line.encode_seconds.push_back(
          seconds_of([&] { line.bytes = line.encode(left.data(), code.data()); }));
      line.decode_seconds.push_back(
          seconds_of([&] { line.decode(code.data(), line.bytes, decoded.data()); }));
    }
  }
  constexpr double gigabytes = kItems * sizeof(float) / 1e9;
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  std::vector<std::vector<std::string>> rows;
  for (const CodecLine& line : lines) {
    const double encode = median(line.encode_seconds), decode = median(line.decode_seconds);
    const double bytes = static_cast<double>(line.bytes) / kItems;
    list.push_back({{"codec", line.name},
                    {"bytes_per_number", bytes},
                    {"encode_gb_per_second", gigabytes / encode},
                    {"decode_gb_per_second", gigabytes / decode},
                    {"gb_per_second", gigabytes / (encode + decode)}});
    rows.push_back({line.name, fmt::format("{:.3f}", bytes),
                    fmt::format("{:.2f}", gigabytes / encode),
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
      "GB/s are of float32: 0.1 GB / seconds. Encoding leaves what was not said in place; "
      "lossless: of numbers that moved by a thousandth of their spread.\n",
      processor(), options.pairs, gigabytes / median(copy),
      print_table({"codec", "bytes/number", "encode GB/s", "decode GB/s", "both GB/s"}, rows));
}

}  // namespace entrain
