#include "entrain/model/linear_generators.h"

#include <ATen/ATen.h>

#include <cmath>

#include "entrain/core/seeds.h"

namespace entrain {
namespace {

using Index = std::int64_t;
using Vector = std::vector<double>;

// What of a problem's data a stream is for.
enum : std::uint64_t { common_model, own_model, common_samples, own_samples };

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += a[j] * b[j];
  return sum;
}

void scale(Vector& x, double factor) {
  for (double& one : x) one *= factor;
}

void fill_normal(Stream& stream, Vector& x) {
  for (double& one : x) one = stream.normal();
}

Vector on_sphere(Stream stream, Index dimension, double radius) {
  Vector x(dimension);
  fill_normal(stream, x);
  scale(x, radius / std::sqrt(dot(x, x)));
  return x;
}

// -1 or 1 with the odds that the logistic model gives to this score.
double logistic_label(Stream& stream, double score) {
  return stream.uniform() < 1 / (1 + std::exp(-score)) ? 1 : -1;
}

// Samples to be filled in the type of the workers' rows, so that a label fits the very features
// that the workers see.
struct Writer {
  LinearData data;

  Writer(Index samples, Index features, at::ScalarType type) {
    data.samples = samples;
    data.features = features;
    data.dense = at::empty({samples, features}, type);
    data.labels = at::empty({samples}, at::kDouble);
  }

  void features(Index sample, Vector& h) {
    if (data.dense.scalar_type() == at::kFloat) {
      write(data.dense.data_ptr<float>() + sample * data.features, h);
    } else {
      write(data.dense.data_ptr<double>() + sample * data.features, h);
    }
  }

  void label(Index sample, double label) { data.labels.data_ptr<double>()[sample] = label; }

 private:
  template <class T>
  static void write(T* row, Vector& h) {
    for (std::size_t j = 0; j < h.size(); ++j) {
      row[j] = static_cast<T>(h[j]);
      h[j] = static_cast<double>(row[j]);
    }
  }
};

Vector own_truth(const HeterogeneousOptions& o, std::uint64_t seed, int worker) {
  Vector truth = on_sphere(Stream(seed, Purpose::problem, common_model), o.dimension, 1 - o.spread);
  const Vector own =
      on_sphere(Stream(seed, Purpose::problem, own_model, worker), o.dimension, o.spread);
  for (Index j = 0; j < o.dimension; ++j) truth[j] += own[j];
  return truth;
}

// Column k has the coordinates k, k + rank, ... of one size and with random signs: orthonormal, and
// so that samples in its span stay there when they are rounded.
struct Frame {
  Index rank;
  Vector entries;  // of each coordinate in its column

  Frame(std::uint64_t seed, Index dimension, Index rank) : rank(rank), entries(dimension) {
    Stream stream(seed, Purpose::problem, own_model);
    for (Index j = 0; j < dimension; ++j) {
      const Index alike = (dimension - 1 - j % rank) / rank + 1;
      const double size = 1 / std::sqrt(static_cast<double>(alike));
      entries[j] = stream.next() % 2 == 0 ? size : -size;
    }
  }

  Vector times(const Vector& z) const {
    Vector h(entries.size());
    for (std::size_t j = 0; j < h.size(); ++j) h[j] = entries[j] * z[j % rank];
    return h;
  }
};

}  // namespace

LinearData logistic_data(const LogisticOptions& o, std::uint64_t seed, at::ScalarType type) {
  const Index features = o.dimension + (o.bias ? 1 : 0);
  Vector truth = on_sphere(Stream(seed, Purpose::problem, common_model), o.dimension, o.norm);
  if (o.bias) truth.push_back(*o.bias);
  Vector deviation(o.dimension), h(o.dimension);
  for (Index j = 0; j < o.dimension; ++j) {
    deviation[j] = std::pow(static_cast<double>(j + 1), -o.decay / 2);
  }
  Writer writer(o.samples, features, type);
  for (Index i = 0; i < o.samples; ++i) {
    Stream stream(seed, Purpose::problem, common_samples, i);
    h.resize(o.dimension);
    for (Index j = 0; j < o.dimension; ++j) h[j] = deviation[j] * stream.normal();
    if (o.unit_rows) scale(h, 1 / std::sqrt(dot(h, h)));
    if (o.bias) h.push_back(1);
    writer.features(i, h);
    writer.label(i, logistic_label(stream, dot(h, truth)));
  }
  return writer.data;
}

// A worker's samples do not depend on how many workers there are.
LinearData heterogeneous_data(const HeterogeneousOptions& o, std::uint64_t seed, int workers,
                              at::ScalarType type) {
  Writer writer(o.samples * workers, o.dimension, type);
  Vector h(o.dimension);
  for (int worker = 0; worker < workers; ++worker) {
    const Vector truth = own_truth(o, seed, worker);
    for (Index i = 0; i < o.samples; ++i) {
      Stream stream(seed, Purpose::problem, own_samples + worker, i);
      fill_normal(stream, h);
      scale(h, std::sqrt(o.scale));
      writer.features(worker * o.samples + i, h);
      writer.label(worker * o.samples + i, logistic_label(stream, dot(h, truth)));
    }
  }
  return writer.data;
}

LinearData softmax_data(const SoftmaxOptions& o, std::uint64_t seed, int workers,
                        at::ScalarType type) {
  std::vector<Vector> centres;
  for (Index c = 0; c < o.classes; ++c) {
    centres.push_back(
        on_sphere(Stream(seed, Purpose::problem, common_model, c), o.dimension, o.separation));
  }
  Writer writer(o.samples * workers, o.dimension, type);
  Vector h(o.dimension);
  for (Index i = 0; i < o.samples * workers; ++i) {
    const Vector& centre = centres[i % o.classes];
    Stream stream(seed, Purpose::problem, common_samples, i);
    for (Index j = 0; j < o.dimension; ++j) h[j] = centre[j] + stream.normal();
    writer.features(i, h);
    writer.label(i, static_cast<double>(i % o.classes));
  }
  return writer.data;
}

LeastSquaresData least_squares_data(const LeastSquaresOptions& o, std::uint64_t seed,
                                    at::ScalarType type) {
  const Frame frame(seed, o.dimension, o.rank);
  const Vector truth =
      frame.times(on_sphere(Stream(seed, Purpose::problem, common_model), o.rank, o.norm));
  Writer writer(o.samples, o.dimension, type);
  Vector z(o.rank);
  for (Index i = 0; i < o.samples; ++i) {
    Stream stream(seed, Purpose::problem, common_samples, i);
    for (Index k = 0; k < o.rank; ++k) {
      const double place =
          o.rank > 1 ? static_cast<double>(k) / static_cast<double>(o.rank - 1) : 0;
      z[k] = std::pow(o.condition, -place / 2) * stream.normal();
    }
    Vector h = frame.times(z);
    writer.features(i, h);
    writer.label(i, dot(h, truth) + o.noise * stream.normal());
  }
  return {writer.data, truth};
}

}  // namespace entrain
