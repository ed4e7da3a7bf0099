#include "entrain/data/classes.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <span>
#include <string>

#include "entrain/core/errors.h"
#include "entrain/core/text.h"

namespace entrain {
namespace {

constexpr std::size_t most_classes = 1000;

/// `kept` owns what is returned.
std::span<const double> doubles_of(const at::Tensor& labels, at::Tensor& kept) {
  ENTRAIN_CHECK(labels.dim() == 1);
  kept = labels.to(at::kDouble).contiguous();
  return {kept.data_ptr<double>(), static_cast<std::size_t>(kept.numel())};
}

std::string names_of_classes(const std::vector<double>& classes) {
  constexpr std::size_t most_named = 10;
  std::string names;
  for (std::size_t i = 0; i < std::min(classes.size(), most_named); ++i)
    names += (i ? ", " : "") + print_number(classes[i]);
  return classes.size() > most_named ? names + ", ..." : names;
}

}  // namespace

std::vector<double> classes_of(const at::Tensor& labels) {
  at::Tensor kept;
  const std::span<const double> values = doubles_of(labels, kept);
  std::set<double> classes;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] != std::trunc(values[i]) || !std::isfinite(values[i]))
      throw DataError(fmt::format(
          "sample {} has the label {}, which is no class: classes are whole numbers; choose a data "
          "set for classification",
          i + 1, print_number(values[i])));
    classes.insert(values[i]);
    if (classes.size() > most_classes)
      throw DataError(fmt::format(
          "the labels have more than {} distinct values; choose a data set for classification",
          most_classes));
  }
  return {classes.begin(), classes.end()};
}

at::Tensor binary_labels(const at::Tensor& labels) {
  const std::vector<double> classes = classes_of(labels);
  if (classes.size() != 2)
    throw DataError(fmt::format("the labels are of {} class{} ({}), where two are needed",
                                classes.size(), classes.size() == 1 ? "" : "es",
                                names_of_classes(classes)));
  const double positive = classes[0] == 1 ? 1 : classes[1];
  return labels.eq(positive).to(at::kDouble).mul_(2).sub_(1);
}

at::Tensor class_labels(const at::Tensor& labels) {
  const std::vector<double> classes = classes_of(labels);
  at::Tensor kept;
  const std::span<const double> values = doubles_of(labels, kept);
  at::Tensor result = at::empty({labels.size(0)}, at::kLong);
  std::transform(values.begin(), values.end(), result.data_ptr<std::int64_t>(), [&](double label) {
    return std::lower_bound(classes.begin(), classes.end(), label) - classes.begin();
  });
  return result;
}

}  // namespace entrain
