#include "entrain/strategy/row_codec.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "entrain/core/errors.h"
#include "entrain/strategy/schedule.h"

namespace entrain {
namespace {

template <class T>
void put(std::uint8_t*& at, T value) {
  std::memcpy(at, &value, sizeof value);
  at += sizeof value;
}

template <class T>
T take(const std::uint8_t*& at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  at += sizeof value;
  return value;
}

double take_number(const std::uint8_t*& at, std::int64_t item) {
  return item == 4 ? static_cast<double>(take<float>(at)) : take<double>(at);
}

std::int64_t items_in(const std::vector<Span>& tensors) {
  std::int64_t items = 0;
  for (const Span& tensor : tensors) items += tensor.count;
  return items;
}

std::int64_t kept(double fraction, const std::vector<Span>& tensors) {
  const std::int64_t items = items_in(tensors);
  return std::min(items, steps_up(fraction * static_cast<double>(items)));
}

// The k first columns of the tensors by an order in which no two are equal, in rising order.
template <class Before>
std::vector<std::uint32_t> first_columns(const std::vector<Span>& tensors, std::int64_t k,
                                         Before before) {
  std::vector<std::uint32_t> chosen;
  chosen.reserve(items_in(tensors));
  for (const Span& tensor : tensors) {
    for (std::int64_t j = 0; j < tensor.count; ++j) {
      chosen.push_back(static_cast<std::uint32_t>(tensor.begin + j));
    }
  }
  if (k < static_cast<std::int64_t>(chosen.size())) {
    std::nth_element(chosen.begin(), chosen.begin() + k, chosen.end(), before);
  }
  chosen.resize(k);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

// Overloads for the two types are one template.
template <class Codec>
class Typed : public RowCodec {
 public:
  void encode(float* values, std::int64_t columns, const std::vector<Span>& tensors,
              const Draw& draw, std::uint8_t* code) const override {
    static_cast<const Codec*>(this)->encode_as(values, columns, tensors, draw, code);
  }
  void encode(double* values, std::int64_t columns, const std::vector<Span>& tensors,
              const Draw& draw, std::uint8_t* code) const override {
    static_cast<const Codec*>(this)->encode_as(values, columns, tensors, draw, code);
  }
};

class TopK : public Typed<TopK> {
 public:
  explicit TopK(double fraction) : fraction_(fraction) {}

  std::int64_t bytes(std::int64_t, const std::vector<Span>& tensors,
                     std::int64_t item) const override {
    return kept(fraction_, tensors) * (4 + item);
  }

  template <class T>
  void encode_as(T* values, std::int64_t, const std::vector<Span>& tensors, const Draw&,
                 std::uint8_t* code) const {
    const auto larger = [values](std::uint32_t a, std::uint32_t b) {
      const T x = std::abs(values[a]), y = std::abs(values[b]);
      return x > y || (x == y && a < b);
    };
    for (const std::uint32_t j : first_columns(tensors, kept(fraction_, tensors), larger)) {
      put(code, j);
      put(code, values[j]);
      values[j] = 0;
    }
  }

  void add(const std::uint8_t* code, std::int64_t columns, const std::vector<Span>& tensors,
           const Draw&, std::int64_t item, double* sums) const override {
    for (std::int64_t i = 0; i < kept(fraction_, tensors); ++i) {
      const auto j = take<std::uint32_t>(code);
      ENTRAIN_CHECK(j < columns);
      sums[j] += take_number(code, item);
    }
  }

 private:
  double fraction_;
};

class RandomK : public Typed<RandomK> {
 public:
  explicit RandomK(double fraction) : fraction_(fraction) {}

  std::int64_t bytes(std::int64_t, const std::vector<Span>& tensors,
                     std::int64_t item) const override {
    return kept(fraction_, tensors) * item;
  }

  template <class T>
  void encode_as(T* values, std::int64_t columns, const std::vector<Span>& tensors,
                 const Draw& draw, std::uint8_t* code) const {
    for (const std::uint32_t j : chosen(columns, tensors, draw)) {
      put(code, values[j]);
      values[j] = 0;
    }
  }

  void add(const std::uint8_t* code, std::int64_t columns, const std::vector<Span>& tensors,
           const Draw& draw, std::int64_t item, double* sums) const override {
    for (const std::uint32_t j : chosen(columns, tensors, draw)) sums[j] += take_number(code, item);
  }

 private:
  std::vector<std::uint32_t> chosen(std::int64_t columns, const std::vector<Span>& tensors,
                                    const Draw& draw) const {
    std::vector<double> numbers(columns);
    draw.uniforms(0, columns, numbers.data());
    return first_columns(tensors, kept(fraction_, tensors), [&](std::uint32_t a, std::uint32_t b) {
      return std::pair(numbers[a], a) < std::pair(numbers[b], b);
    });
  }

  double fraction_;
};

class Sign : public Typed<Sign> {
 public:
  std::int64_t bytes(std::int64_t columns, const std::vector<Span>& tensors,
                     std::int64_t item) const override {
    return (columns + 7) / 8 + static_cast<std::int64_t>(tensors.size()) * item;
  }

  template <class T>
  void encode_as(T* values, std::int64_t columns, const std::vector<Span>& tensors, const Draw&,
                 std::uint8_t* code) const {
    std::uint8_t* const bits = code + tensors.size() * sizeof(T);
    std::fill_n(bits, (columns + 7) / 8, std::uint8_t{0});
    for (const Span& tensor : tensors) {
      double sum = 0;
      for (std::int64_t j = tensor.begin; j < tensor.begin + tensor.count; ++j) {
        sum += std::abs(static_cast<double>(values[j]));
      }
      const T scale =
          static_cast<T>(sum / static_cast<double>(std::max<std::int64_t>(1, tensor.count)));
      put(code, scale);
      for (std::int64_t j = tensor.begin; j < tensor.begin + tensor.count; ++j) {
        const bool positive = values[j] >= 0;
        bits[j / 8] |= static_cast<std::uint8_t>(positive << (j % 8));
        values[j] -= positive ? scale : -scale;
      }
    }
  }

  void add(const std::uint8_t* code, std::int64_t, const std::vector<Span>& tensors, const Draw&,
           std::int64_t item, double* sums) const override {
    const std::uint8_t* const bits = code + static_cast<std::int64_t>(tensors.size()) * item;
    for (const Span& tensor : tensors) {
      const double scale = take_number(code, item);
      for (std::int64_t j = tensor.begin; j < tensor.begin + tensor.count; ++j) {
        sums[j] += (bits[j / 8] >> (j % 8)) & 1 ? scale : -scale;
      }
    }
  }
};

}  // namespace

RowCodecPtr top_k_codec(double fraction) { return std::make_shared<TopK>(fraction); }
RowCodecPtr random_k_codec(double fraction) { return std::make_shared<RandomK>(fraction); }
RowCodecPtr sign_codec() { return std::make_shared<Sign>(); }

}  // namespace entrain
