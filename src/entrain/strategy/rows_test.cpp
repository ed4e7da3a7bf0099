#include "entrain/strategy/rows.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

at::Tensor trained(std::vector<std::int64_t> sizes, at::ScalarType type = at::kFloat) {
  return at::randn(sizes, at::TensorOptions().dtype(type)).set_requires_grad(true);
}

std::vector<NamedTensor> small_model(at::ScalarType type = at::kFloat) {
  return {{"weight", trained({3, 5}, type)},
          {"bias", trained({3}, type)},
          {"scale", trained({}, type)}};
}

template <class Call>
std::string refusal_of(Call call) {
  try {
    call();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(Layout, TensorsStartOnSixtyFourByteBorders) {
  for (at::ScalarType type : {at::kFloat, at::kDouble}) {
    const Layout layout = Layout::of(small_model(type));
    const std::int64_t border = type == at::kFloat ? 16 : 8;
    ASSERT_EQ(layout.entries.size(), 3u);
    for (const Layout::Entry& entry : layout.entries) EXPECT_EQ(entry.offset % border, 0);
    EXPECT_EQ(layout.columns % border, 0);
    EXPECT_EQ(layout.items, 19);
  }
}

TEST(Layout, FrozenStayOutsideAndTiedAppearOnce) {
  std::vector<NamedTensor> model = small_model();
  model.push_back({"tied", model[0].tensor});
  model.push_back({"frozen", at::ones({4})});
  const std::vector<NamedTensor> trained = trained_tensors(model);
  ASSERT_EQ(trained.size(), 3u);
  EXPECT_EQ(trained[2].name, "scale");
}

TEST(Layout, RefusesTypesThatRowsCannotHold) {
  EXPECT_NE(refusal_of([] {
              Layout::of({{"half", trained({2}).to(at::kHalf).detach().set_requires_grad(true)}});
            }).find("'half'"),
            std::string::npos);
  EXPECT_NE(refusal_of([] {
              Layout::of({{"a", trained({2})}, {"b", trained({2}, at::kDouble)}});
            }).find("'b'"),
            std::string::npos);
  EXPECT_NE(refusal_of([] {
              trained_tensors({{"frozen", at::ones({2})}});
            }).find("no parameter"),
            std::string::npos);
}

TEST(Rows, ModelsBecomeAliasesWithTheirValues) {
  std::vector<ModelTensors> models = {{small_model()}, {small_model()}};
  const at::Tensor before = models[1].parameters[0].tensor.detach().clone();
  Rows rows(models);
  EXPECT_TRUE(models[1].parameters[0].tensor.equal(before));
  const Layout::Entry& entry = rows.layout().entries[0];
  EXPECT_TRUE(rows.parameters()[1].narrow(0, entry.offset, 15).view({3, 5}).equal(before));
  rows.parameters().fill_(2);
  EXPECT_EQ(models[0].parameters[1].tensor.sum().item<float>(), 6);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(models[1].parameters[0].tensor.data_ptr()) % 64, 0u);
}

TEST(Rows, BackwardWritesIntoTheGradientRows) {
  std::vector<ModelTensors> models = {{small_model()}, {small_model()}};
  Rows rows(models);
  (models[1].parameters[0].tensor.sum() * 3).backward();
  const Layout::Entry& entry = rows.layout().entries[0];
  EXPECT_EQ(rows.gradients()[1].narrow(0, entry.offset, 15).sum().item<float>(), 45);
  EXPECT_EQ(rows.gradients()[0].abs().sum().item<float>(), 0);
}

TEST(Rows, ChannelsLastWeightsKeepTheirStrides) {
  const at::Tensor weight =
      at::randn({4, 3, 2, 2}).contiguous(at::MemoryFormat::ChannelsLast).set_requires_grad(true);
  const at::Tensor before = weight.detach().clone();
  Rows rows({{{{"weight", weight}}}});
  EXPECT_TRUE(weight.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(weight.equal(before));
}

TEST(Rows, FloatingBuffersLieBehindTheParameters) {
  std::vector<ModelTensors> models(2);
  for (ModelTensors& model : models) {
    model = {small_model(),
             {{"running_mean", at::full({3}, 2.f)}, {"count", at::zeros({}, at::kLong)}}};
  }
  Rows rows(models);
  EXPECT_EQ(rows.buffer_layout().items, 3);
  EXPECT_EQ(rows.everything().size(1), rows.parameters().size(1) + rows.buffers().size(1));
  EXPECT_EQ(rows.buffers()[1].sum().item<float>(), 6);
  models[1].buffers[0].tensor.add_(1);
  EXPECT_EQ(rows.buffers()[1].sum().item<float>(), 9);
  EXPECT_EQ(rows.buffers()[0].sum().item<float>(), 6);
  models[0].buffers[0].tensor.set_data(at::ones({3}));
  EXPECT_NE(refusal_of([&] { rows.verify(); }).find("buffer 'running_mean'"), std::string::npos);
}

TEST(Rows, AGradientThatMovedIsCopiedBack) {
  std::vector<NamedTensor> model = small_model();
  Rows rows({{model}});
  model[1].tensor.mutable_grad() = at::Tensor();  // as zero_grad(set_to_none = true) does
  model[1].tensor.sum().backward();
  EXPECT_EQ(rows.gradients().sum().item<float>(), 0) << "autograd gave it new memory";
  rows.verify();
  EXPECT_EQ(rows.gradients().sum().item<float>(), 3);
  model[1].tensor.sum().backward();
  EXPECT_EQ(rows.gradients().sum().item<float>(), 6) << "bound again";
}

TEST(Rows, AnUndefinedGradientCountsAsZero) {
  std::vector<NamedTensor> model = small_model();
  Rows rows({{model}});
  rows.gradients().fill_(1);
  model[1].tensor.mutable_grad() = at::Tensor();
  rows.verify();
  EXPECT_EQ(model[1].tensor.grad().sum().item<float>(), 0);
  EXPECT_EQ(model[0].tensor.grad().sum().item<float>(), 15);
}

TEST(Rows, AParameterThatMovedIsAnErrorThatNamesIt) {
  std::vector<NamedTensor> model = small_model();
  Rows rows({{model}});
  model[0].tensor.set_data(at::ones({3, 5}));
  EXPECT_NE(refusal_of([&] { rows.verify(); }).find("'weight'"), std::string::npos);
}

TEST(Rows, SwapGivesTheMemoryOfOthersToTheModels) {
  std::vector<ModelTensors> models = {{small_model(), {{"running_mean", at::full({3}, 2.f)}}}};
  Rows rows(models);
  const at::Tensor before = rows.everything().clone();
  at::Tensor values = at::full_like(before, 5);
  const void* const memory = values.data_ptr();
  ASSERT_TRUE(rows.swap(values));
  EXPECT_EQ(rows.everything().data_ptr(), memory);
  EXPECT_TRUE(values.equal(before));
  EXPECT_EQ(models[0].parameters[0].tensor.sum().item<float>(), 75);
  EXPECT_EQ(models[0].buffers[0].tensor.sum().item<float>(), 15);
  rows.verify();
  models[0].parameters[0].tensor.detach().fill_(1);
  EXPECT_EQ(rows.parameters().sum().item<float>(), rows.parameters().size(1) * 5 - 15 * 4);
  models[0].parameters[0].tensor.set_data(at::ones({3, 5}));
  ASSERT_TRUE(rows.swap(values));
  EXPECT_NE(refusal_of([&] { rows.verify(); }).find("'weight'"), std::string::npos);
}

TEST(Rows, SwapKnowsTensorsWithoutElements) {
  std::vector<NamedTensor> model = small_model();
  model.insert(model.begin() + 1, {"empty", trained({0, 3})});
  const std::vector<ModelTensors> models = {{model, {{"none_yet", at::zeros({0})}}}};
  Rows rows(models);
  ASSERT_TRUE(rows.swap(at::ones_like(rows.everything())));
  rows.verify();
}

TEST(Rows, SwapLeavesWhatIsNoMatrixOfThatForm) {
  Rows rows({{small_model()}});
  const at::Tensor before = rows.everything().clone();
  const std::int64_t columns = before.size(1);
  for (const at::Tensor& other :
       {at::zeros({1, columns + 1}), at::zeros({1, columns}, at::kDouble), at::zeros({2, columns}),
        at::zeros({1, columns + 1}).narrow(1, 0, columns)}) {
    EXPECT_FALSE(rows.swap(other));
    EXPECT_TRUE(rows.everything().equal(before));
  }
}

TEST(Rows, RefusesSparseGradientsAndUnlikeModels) {
  std::vector<NamedTensor> model = small_model();
  Rows rows({{model}});
  model[0].tensor.mutable_grad() = at::ones({3, 5}).to_sparse();
  EXPECT_NE(refusal_of([&] { rows.verify(); }).find("sparse"), std::string::npos);
  std::vector<NamedTensor> other = small_model();
  other[0].tensor = trained({5, 3});
  EXPECT_NE(refusal_of([&] {
              Rows({{small_model()}, {other}});
            }).find("workers 0 and 1"),
            std::string::npos);
}

}  // namespace
}  // namespace entrain
