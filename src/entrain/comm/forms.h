#pragma once

#include <functional>
#include <set>
#include <string>

#include "entrain/comm/gloo.h"
#include "entrain/comm/store.h"

namespace entrain {

/// Agreement of all ranks on what each exchange is, as text: Gloo ends a process that is sent
/// another size than it waits for. A form that was agreed on once costs nothing from then on.
class Forms {
 public:
  Forms(const Place& place, Store& store, Gloo group)
      : place_(place), store_(store), group_(std::move(group)) {}

  /// Blocks in `finish` until all ranks have said what exchange `number` is, if its form is new.
  /// Throws CommunicationError that names two ranks and their forms if these differ.
  void agree(const std::string& form, std::int64_t number,
             const std::function<void(const Wait&)>& finish);

  const Gloo& group() const { return group_; }

 private:
  void refuse_other(const std::string& form, std::int64_t number);

  Place place_;
  Store& store_;
  Gloo group_;
  std::set<std::string> agreed_;
};

}  // namespace entrain
