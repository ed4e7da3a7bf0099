#include "entrain/strategy/codec.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "entrain/comm/local.h"
#include "entrain/core/errors.h"
#include "entrain/core/seeds.h"
#include "entrain/strategy/coder.h"
#include "entrain/strategy/strategy_text.h"
#include "entrain/strategy/synchronizer.h"

namespace entrain {
namespace {

template <class T>
std::vector<T> random_values(std::int64_t count, std::uint64_t seed, double scale = 1) {
  Stream random(seed, Purpose::codec);
  std::vector<T> values(count);
  for (T& value : values) value = static_cast<T>(scale * random.normal());
  return values;
}

// What comes out of a code, and what was left of the values.
template <class T>
struct Coded {
  std::vector<T> decoded, left;
};

template <class T>
Coded<T> through(const BlockCodec& codec, const std::vector<T>& values, const Draw& draw = {}) {
  Coded<T> result{std::vector<T>(values.size()), values};
  const auto count = static_cast<std::int64_t>(values.size());
  std::vector<std::uint8_t> code(codec.bytes(count, sizeof(T)));
  codec.encode(result.left.data(), count, 0, draw, code.data());
  codec.decode(code.data(), count, result.decoded.data());
  return result;
}

TEST(BlockCodec, WhatIsLeftIsWhatTheCodeDoesNotSay) {
  for (const auto& codec : {raw_codec(), bf16_codec(), fp16_codec(), int8_codec(), int4_codec(),
                            fp4_codec(), qsgd_codec(127, 512)}) {
    for (std::int64_t count : {0, 1, 3, 255, 256, 257, 700}) {
      const auto values = random_values<float>(count, 3);
      const auto [decoded, left] = through(*codec, values);
      for (std::int64_t j = 0; j < count; ++j) {
        EXPECT_NEAR(decoded[j] + left[j], values[j], 1e-6F * std::abs(values[j]));
      }
    }
  }
}

// A share that begins at a block's border is coded as in the whole row.
TEST(BlockCodec, BlocksDoNotDependOnWhereARowIsCut) {
  for (const auto& codec : {bf16_codec(), fp16_codec(), int8_codec(), int4_codec(), fp4_codec(),
                            qsgd_codec(127, 512)}) {
    const auto values = random_values<double>(2000, 5);
    const auto whole = through(*codec, values).decoded;
    const std::int64_t cut = 2 * codec->block();
    std::vector<double> tail(values.begin() + cut, values.end());
    std::vector<std::uint8_t> code(codec->bytes(static_cast<std::int64_t>(tail.size()), 8));
    const auto count = static_cast<std::int64_t>(tail.size());
    codec->encode(tail.data(), count, cut, {}, code.data());
    codec->decode(code.data(), count, tail.data());
    for (std::int64_t j = 0; j < count; ++j) ASSERT_EQ(tail[j], whole[cut + j]);
  }
}

TEST(BlockCodec, IntegersAreWithinHalfAScale) {
  for (const auto& [codec, most] : {std::pair{int8_codec(), 127}, {int4_codec(), 7}}) {
    for (double size : {1e-30, 1e-3, 1.0, 1e20}) {
      const auto values = random_values<float>(1000, 7, size);
      const auto left = through(*codec, values).left;
      for (std::int64_t at = 0; at < 1000; at += 256) {
        float largest = 0;
        for (std::int64_t j = at; j < std::min<std::int64_t>(1000, at + 256); ++j) {
          largest = std::max(largest, std::abs(values[j]));
        }
        const float scale = largest / static_cast<float>(most);
        for (std::int64_t j = at; j < std::min<std::int64_t>(1000, at + 256); ++j) {
          EXPECT_LE(std::abs(left[j]), scale / 2 * 1.00001F);
        }
      }
    }
  }
}

TEST(BlockCodec, ZerosStayZeros) {
  for (const auto& codec : {bf16_codec(), fp16_codec(), int8_codec(), int4_codec(), fp4_codec(),
                            qsgd_codec(127, 512)}) {
    const auto [decoded, left] = through(*codec, std::vector<float>(300));
    for (std::int64_t j = 0; j < 300; ++j) EXPECT_TRUE(decoded[j] == 0 && left[j] == 0);
  }
}

// Every value of E3M0, every tie, and both sides of each border, in both types.
template <class T>
void expect_fp4_exhaustively() {
  const std::vector<T> magnitudes = {0, 1, 2, 4, 8, 16, 32, 64};
  std::vector<T> values = {64}, expected = {64};  // the first fixes the scale at 1
  for (std::size_t code = 0; code < magnitudes.size(); ++code) {
    values.push_back(magnitudes[code]);
    expected.push_back(magnitudes[code]);
    if (code + 1 == magnitudes.size()) break;
    const T middle = (magnitudes[code] + magnitudes[code + 1]) / 2;
    values.push_back(std::nextafter(middle, T{0}));
    expected.push_back(magnitudes[code]);
    values.push_back(middle);
    expected.push_back(magnitudes[code % 2 == 0 ? code : code + 1]);  // ties to the even code
    values.push_back(std::nextafter(middle, T{100}));
    expected.push_back(magnitudes[code + 1]);
  }
  const std::size_t count = values.size();
  for (std::size_t i = 0; i < count; ++i) {
    values.push_back(-values[i]);
    expected.push_back(-expected[i]);
  }
  const auto decoded = through(*fp4_codec(), values).decoded;
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(decoded[i], expected[i]) << values[i];
}

TEST(BlockCodec, Fp4Exhaustively) {
  expect_fp4_exhaustively<float>();
  expect_fp4_exhaustively<double>();
}

// All 65,536 half-precision numbers come back; the processor's conversion and the portable one
// agree.
TEST(BlockCodec, EveryHalfComesBack) {
  std::vector<float> halves;
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const float value = at::Half(static_cast<std::uint16_t>(bits), at::Half::from_bits());
    if (std::isfinite(value)) halves.push_back(value);
  }
  EXPECT_EQ(through(*fp16_codec(), halves).decoded, halves);
  const auto values = random_values<float>(100'003, 9, 100);
  const auto narrow = through(*fp16_codec(), values).decoded;
  const auto wide =
      through(*fp16_codec(), std::vector<double>(values.begin(), values.end())).decoded;
  for (std::size_t j = 0; j < values.size(); ++j) {
    ASSERT_EQ(narrow[j], static_cast<float>(wide[j])) << values[j];
    ASSERT_EQ(narrow[j], static_cast<float>(at::Half(values[j]))) << values[j];
  }
}

TEST(BlockCodec, Bf16IsRoundedToTheNearestEven) {
  const auto values = random_values<float>(100'003, 11, 1e5);
  const auto decoded = through(*bf16_codec(), values).decoded;
  for (std::size_t j = 0; j < values.size(); ++j) {
    ASSERT_EQ(decoded[j], static_cast<float>(at::BFloat16(values[j]))) << values[j];
  }
}

TEST(Qsgd, IsUnbiasedAndWithinItsVariance) {
  constexpr int count = 64, draws = 20'000;
  for (int s : {2, 8, 127}) {
    const auto codec = qsgd_codec(s, 512);
    const auto values = random_values<double>(count, 13);
    double norm = 0;
    for (const double value : values) norm += value * value;
    std::vector<double> sum(count), squares(count);
    double error = 0;
    for (std::uint32_t round = 0; round < draws; ++round) {
      const auto decoded = through(*codec, values, {1, 3, round}).decoded;
      for (int j = 0; j < count; ++j) {
        sum[j] += decoded[j];
        squares[j] += decoded[j] * decoded[j];
        error += (decoded[j] - values[j]) * (decoded[j] - values[j]) / draws;
      }
    }
    for (int j = 0; j < count; ++j) {
      const double mean = sum[j] / draws;
      const double deviation = std::sqrt(std::max(0.0, squares[j] / draws - mean * mean) / draws);
      EXPECT_NEAR(mean, values[j], 5 * deviation + 1e-6) << "s = " << s;
    }
    const double d = count;
    EXPECT_LE(error, std::min(d / (s * s), std::sqrt(d) / s) * norm) << "s = " << s;
  }
}

Codec codec_named(const std::string& text) { return build_codec(parse_value(text), {}); }

MessageTensors one_matrix(std::int64_t rows, std::int64_t columns) {
  return {{{0, rows * columns}}, {{0, rows, columns}}, rows * columns};
}

// sum of the results + mean of the errors (+ r) = sum of the means of the inputs.
TEST(ErrorFeedback, TelescopesOver200Steps) {
  constexpr int n = 3, rows = 20, columns = 30;
  for (const char* text : {"bf16", "fp16", "int8", "int4", "fp4", "qsgd", "top_k(0.02)",
                           "random_k(0.02)", "sign", "low_rank(2)"}) {
    const auto comm = local_communicator(n);
    const auto coder = std::make_shared<Coder>(codec_named(fmt::format("error_feedback({})", text)),
                                               one_matrix(rows, columns), n, at::kDouble);
    at::Tensor sent = at::zeros({1, rows * columns}, at::kDouble), wanted = sent.clone();
    for (int step = 0; step < 200; ++step) {
      const auto values = random_values<double>(n * rows * columns, 100 + step);
      const at::Tensor v = at::tensor(values, at::kDouble).view({n, rows * columns});
      const at::Tensor mean = at::empty({1, rows * columns}, at::kDouble);
      coder->launch(*comm, nullptr, v, mean)->wait();
      coder->landed();
      sent += mean;
      wanted += v.mean(0, true);
    }
    at::Tensor kept = coder->errors().mean(0, true);
    if (coder->mean_error().defined()) kept = kept + coder->mean_error();
    EXPECT_LE((sent + kept - wanted).abs().max().item<double>(), 1e-10) << text;
    EXPECT_GT(kept.abs().max().item<double>(), 0) << text << " left nothing out";
  }
}

TEST(LowRank, IsExactForAMatrixOfThatRankAfterOneStep) {
  constexpr int n = 3, rows = 40, columns = 30;
  for (int true_rank : {1, 2, 4}) {
    for (int rank : {true_rank, true_rank + 1, 2 * true_rank + 1}) {
      const auto comm = local_communicator(n);
      const auto coder =
          std::make_shared<Coder>(codec_named(fmt::format("low_rank({}, min_rate=1)", rank)),
                                  one_matrix(rows, columns), n, at::kDouble);
      // The workers share a row space, so that their mean has the rank, too.
      const auto right = random_values<double>(true_rank * columns, 1);
      const at::Tensor v = at::empty({n, rows * columns}, at::kDouble);
      for (int i = 0; i < n; ++i) {
        const auto left = random_values<double>(rows * true_rank, 2 + i);
        v[i].copy_(at::mm(at::tensor(left, at::kDouble).view({rows, true_rank}),
                          at::tensor(right, at::kDouble).view({true_rank, columns}))
                       .view({-1}));
      }
      const at::Tensor mean = at::empty({1, rows * columns}, at::kDouble);
      coder->launch(*comm, nullptr, v, mean)->wait();
      EXPECT_LE((mean - v.mean(0, true)).abs().max().item<double>(), 1e-11)
          << "rank " << rank << " of " << true_rank;
    }
  }
}

// A gradient that is zero once does not stop a tensor for good.
TEST(LowRank, AZeroMatrixIsNotTheEnd) {
  constexpr int rows = 20, columns = 30;
  const auto comm = local_communicator(1);
  const auto coder = std::make_shared<Coder>(codec_named("low_rank(1)"), one_matrix(rows, columns),
                                             1, at::kDouble);
  const at::Tensor mean = at::empty({1, rows * columns}, at::kDouble);
  for (double value : {0.0, 1.0}) {
    coder->launch(*comm, nullptr, at::full({1, rows * columns}, value, at::kDouble), mean)->wait();
    coder->landed();
    EXPECT_LE((mean - value).abs().max().item<double>(), 1e-12);
  }
}

// Without error feedback the sign of a vector with one large entry leads astray; with it, the mean
// of what is applied is right (Karimireddy et al. 2019).
TEST(Sign, NeedsErrorFeedback) {
  const auto comm = local_communicator(1);
  const at::Tensor v = at::tensor({4.0, -1.0, 0.1, 0.1}, at::kDouble).view({1, 4});
  const auto applied = [&](const char* text) {
    const auto coder =
        std::make_shared<Coder>(codec_named(text), MessageTensors{{{0, 4}}, {}, 4}, 1, at::kDouble);
    at::Tensor sum = at::zeros({1, 4}, at::kDouble);
    for (int step = 0; step < 2000; ++step) {
      const at::Tensor mean = at::empty({1, 4}, at::kDouble);
      coder->launch(*comm, nullptr, v, mean)->wait();
      coder->landed();
      sum += mean / 2000;
    }
    return (sum - v).abs().max().item<double>();
  };
  EXPECT_GT(applied("sign"), 1);
  EXPECT_LT(applied("error_feedback(sign)"), 0.02);
}

// BatchNorm's statistics ride behind the parameters and are not coded.
TEST(Coder, BuffersTravelExactly) {
  std::vector<ModelTensors> models;
  for (int i = 0; i < 3; ++i) {
    models.push_back({{{"x", at::zeros({300}, at::kDouble).set_requires_grad(true)}},
                      {{"running_mean", at::zeros({7}, at::kDouble)}}});
  }
  Rows rows(models);
  const auto comm = local_communicator(3);
  Synchronizer sync(rows, *comm, parse_strategy("parameters(when=every(1), codec=int4)"));
  const auto values = random_values<double>(3 * rows.everything().size(1), 21);
  rows.everything().copy_(at::tensor(values, at::kDouble).view(rows.everything().sizes()));
  const at::Tensor parameters = rows.parameters().mean(0), buffers = rows.buffers().mean(0);
  sync.reduce_gradients();
  sync.advance(at::zeros({3}), 0.1);
  EXPECT_LE((rows.buffers() - buffers).abs().max().item<double>(), 1e-15);
  const double coded = (rows.parameters() - parameters).abs().max().item<double>();
  EXPECT_GT(coded, 1e-3);
  EXPECT_LT(coded, 1);
}

TEST(Codec, ReadsAndPrintsItsText) {
  for (const char* text : {"exact", "bf16", "int8", "qsgd(s=127, bucket=512)", "top_k(0.01)",
                           "error_feedback(sign)", "low_rank(rank=4, min_rate=2)"}) {
    EXPECT_EQ(print(codec_named(text).text), text);
  }
  for (const char* text :
       {"top_k(0)", "top_k(2)", "qsgd(s=200)", "qsgd(bucket=6)", "low_rank(0)",
        "error_feedback(exact)", "error_feedback(error_feedback(int8))", "int3"}) {
    EXPECT_THROW(codec_named(text), UsageError) << text;
  }
}

}  // namespace
}  // namespace entrain
