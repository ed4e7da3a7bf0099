#include "entrain/strategy/parameters_hash.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "entrain/comm/local.h"

namespace entrain {
namespace {

NamedTensor hashed(const std::string& name, const at::Tensor& values) {
  return {name, values.clone().set_requires_grad(true)};
}

const at::Tensor kOne = at::arange(5, at::kFloat), kTwo = at::full({2, 3}, 0.5);

TEST(ParametersHash, GoesByNameNotByOrder) {
  const Rows rows({{{hashed("a", kOne), hashed("b", kTwo)}}});
  const Rows turned({{{hashed("b", kTwo), hashed("a", kOne)}}});
  const Rows swapped({{{hashed("a", kTwo), hashed("b", kOne)}}});
  EXPECT_EQ(row_hash(rows, 0), row_hash(turned, 0));
  EXPECT_NE(row_hash(rows, 0), row_hash(swapped, 0));
}

TEST(ParametersHash, LeavesOutPaddingAndBuffers) {
  const Rows rows({{{hashed("a", kOne)}, {{"mean", at::zeros({4})}}}});
  const std::uint64_t before = row_hash(rows, 0);
  rows.buffers().fill_(7);
  rows.parameters().narrow(1, 5, rows.layout().columns - 5).fill_(7);
  EXPECT_EQ(row_hash(rows, 0), before);
  rows.parameters()[0][4] = 4.0000005F;
  EXPECT_NE(row_hash(rows, 0), before);
}

TEST(ParametersHash, OfAllWorkersDependsOnTheirOrder) {
  const ModelTensors one = {{hashed("a", kOne)}}, two = {{hashed("a", kOne + 1)}};
  const ModelTensors third = {{hashed("a", kOne + 1)}}, fourth = {{hashed("a", kOne)}};
  const auto comm = local_communicator(2);
  const std::string hash = parameters_hash(Rows({one, two}), *comm);
  EXPECT_EQ(hash.size(), 16u);
  EXPECT_NE(hash, parameters_hash(Rows({third, fourth}), *comm));
}

TEST(LayoutHash, TellsNamesAndShapesApart) {
  const auto hash = [](const std::string& name, const at::Tensor& values) {
    return layout_hash(Rows({{{hashed(name, values)}}}).layout());
  };
  EXPECT_EQ(hash("a", kTwo), hash("a", kTwo + 1));
  EXPECT_NE(hash("a", kTwo), hash("b", kTwo));
  EXPECT_NE(hash("a", kTwo), hash("a", kTwo.t().contiguous()));
}

}  // namespace
}  // namespace entrain
