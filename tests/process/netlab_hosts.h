#pragma once

#include <unistd.h>

#include "process/fake_ssh.h"

namespace entrain {

/// A test on pretend hosts h0, h1, ... with links, addresses and names of their own, which this
/// process is not among; skipped where netlab cannot make them.
template <class Test, int hosts>
class OnNetlab : public Test {
 protected:
  void SetUp() override {
    Test::SetUp();
    const char* const source = std::getenv("ENTRAIN_SOURCE");
    ASSERT_TRUE(source) << "ENTRAIN_SOURCE must be the root of the repository";
    netlab_ = std::string(source) + "/tools/netlab/netlab";
    ASSERT_EQ(access(netlab_.c_str(), X_OK), 0) << netlab_ << " is not there";
    if (getuid() != 0) GTEST_SKIP() << "netlab needs root";
    const Outcome up = netlab("up", {"--hosts", std::to_string(hosts)});
    up_ = up.code == 0;
    ASSERT_TRUE(up_ || up.err.starts_with("netlab: ")) << "it fails without a reason: " << up;
    if (!up_) GTEST_SKIP() << "netlab cannot make hosts here: " << up.err;
  }
  void TearDown() override {
    if (up_) expect_exit(netlab("down", {}), 0);
  }

  /// One call of netlab for this test's lab.
  Words netlab_words(const std::string& verb, const Words& words) const {
    return join({netlab_, verb, "--name", lab_}, words);
  }
  Outcome netlab(const std::string& verb, const Words& words) {
    return this->run(netlab_words(verb, words));
  }
  /// unplug, plug, pause or resume.
  void fault(const std::string& verb, int host) {
    expect_exit(netlab(verb, {std::to_string(host)}), 0);
  }

  /// In place of ssh: h0 and h1 are netlab's names.
  std::string netlab_ssh() {
    const std::filesystem::path path = *this / "netlab_ssh";
    std::ofstream(path) << "#!/bin/sh\nexec '" << netlab_ << "' exec --name " << lab_
                        << " \"${1#h}\" -- /bin/sh -c \"$2\"\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }

 private:
  std::string netlab_, lab_ = "t" + std::to_string(getpid() % 1'000'000);
  bool up_ = false;
};

}  // namespace entrain
