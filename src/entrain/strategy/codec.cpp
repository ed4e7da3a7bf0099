#include "entrain/strategy/codec.h"

#include "entrain/core/errors.h"

namespace entrain {
namespace {

Codec in_blocks(const char* name, BlockCodecPtr blocks, bool codes_mean = false) {
  return {.text = call(name),
          .blocks = std::move(blocks),
          .codes_mean = codes_mean,
          .of_parameters = true};
}

double fraction_of(const Arguments& a) {
  const double fraction = a.real("fraction");
  if (fraction > 0 && fraction <= 1) return fraction;
  throw UsageError(fmt::format("{}: fraction must be above 0 and at most 1", print(a.canonical())));
}

Codec qsgd_of(const Arguments& a) {
  const std::int64_t s = a.integer("s"), bucket = a.integer("bucket");
  if (s < 1 || s > 127 || bucket < 4 || bucket % 4 != 0 || bucket > 1 << 20) {
    throw UsageError(fmt::format("{}: s must be from 1 to 127, bucket a multiple of 4 up to 2^20",
                                 print(a.canonical())));
  }
  return {.text = a.canonical(), .blocks = qsgd_codec(s, bucket), .seed = a.facts().seed};
}

Codec low_rank_of(const Arguments& a) {
  const std::int64_t rank = a.integer("rank");
  const double min_rate = a.real("min_rate");
  if (rank < 1 || rank > 1 << 16 || !(min_rate >= 1)) {
    throw UsageError(
        fmt::format("{}: rank must be from 1 to 2^16, min_rate at least 1", print(a.canonical())));
  }
  return {.text = a.canonical(), .rank = rank, .min_rate = min_rate, .seed = a.facts().seed};
}

Codec with_feedback(const Arguments& a) {
  Codec codec = build_codec(a.value("codec"), a.facts());
  const Value text = call("error_feedback", {{"", codec.text}});
  if (codec.exact() || codec.feedback) {
    throw UsageError(fmt::format("{}: there is no error to feed back", print(text)));
  }
  codec.text = text;
  codec.feedback = true;
  return codec;
}

}  // namespace

const std::vector<Choice<Codec>>& codec_choices() {
  static const std::vector<Choice<Codec>> choices = {
      {"exact", {}, "as it is", [](const Arguments&) { return Codec{}; }},
      {"bf16",
       {},
       "bfloat16: 2 bytes a number; the mean comes back exact",
       [](const Arguments&) { return in_blocks("bf16", bf16_codec()); }},
      {"fp16",
       {},
       "half precision: 2 bytes a number; the mean comes back exact",
       [](const Arguments&) { return in_blocks("fp16", fp16_codec()); }},
      {"int8",
       {},
       "1 byte a number and a scale for 256, both ways",
       [](const Arguments&) { return in_blocks("int8", int8_codec(), true); }},
      {"int4",
       {},
       "4 bits a number and a scale for 256, both ways",
       [](const Arguments&) { return in_blocks("int4", int4_codec(), true); }},
      {"fp4",
       {},
       "E3M0: a sign and a power of two in 4 bits, a scale for 256, both ways",
       [](const Arguments&) { return in_blocks("fp4", fp4_codec(), true); }},
      {"qsgd",
       {{"s", "127"}, {"bucket", "512"}},
       "1 byte a number, rounded at random without bias, a norm for a bucket; the mean comes back "
       "exact",
       qsgd_of},
      {"top_k",
       {{"fraction"}},
       "the entries of largest magnitude with their columns, of every worker to every other",
       [](const Arguments& a) {
         return Codec{.text = a.canonical(), .rows = top_k_codec(fraction_of(a))};
       }},
      {"random_k",
       {{"fraction"}},
       "entries drawn at random, of every worker to every other",
       [](const Arguments& a) {
         return Codec{
             .text = a.canonical(), .rows = random_k_codec(fraction_of(a)), .seed = a.facts().seed};
       }},
      {"sign",
       {},
       "a bit a number and the mean magnitude of each tensor, of every worker to every other",
       [](const Arguments&) { return Codec{.text = call("sign"), .rows = sign_codec()}; }},
      {"low_rank",
       {{"rank"}, {"min_rate", "2"}},
       "PowerSGD: each matrix as a product of two thin ones",
       low_rank_of},
      {"error_feedback",
       {{"codec"}},
       "what a codec did not send is added to the next message",
       with_feedback},
  };
  return choices;
}

Codec build_codec(const Value& value, const RunFacts& facts) {
  return build(codec_choices(), value, "codec", facts);
}

}  // namespace entrain
