#include "entrain/strategy/catalogue.h"

#include "entrain/core/errors.h"
#include "entrain/strategy/algorithms.h"

namespace entrain {
namespace {

Schedule schedule_of(const char* name, const Arguments& arguments,
                     const std::vector<std::string>& parameters) {
  Value text = call(name);
  for (const std::string& parameter : parameters) {
    text.arguments.push_back({parameter, arguments.value(parameter)});
  }
  return build_schedule(text, arguments.facts());
}

Topology topology_of(const Arguments& a) { return build_topology(a.value("topology"), a.facts()); }

Codec with_error_feedback(const Value& codec, const Arguments& a) {
  return build_codec(call("error_feedback", {{"", codec}}), a.facts());
}

const char* const kLocalStep = "every step:      x_i <- optimizer(x_i, g_i(x_i))\n";

std::string after_local_step(const std::string& rest) { return kLocalStep + rest; }

std::vector<Preset> synchronous_and_local() {
  return {
      {{"synchronous",
        {},
        "gradients averaged in every step",
        [](const Arguments&) { return synchronous(); }},
       "Goyal et al. 2017, arXiv 1706.02677",
       "g <- (1/n) sum_i g_i(x)\n"
       "x <- optimizer(x, g)"},
      {{"local_sgd",
        {{"h"}},
        "parameters averaged after every h-th step",
        [](const Arguments& a) { return local_sgd(a.steps("h")); }},
       "McMahan et al. 2017, arXiv 1602.05629; Stich 2019, arXiv 1805.09767",
       after_local_step("every h steps:   x_i <- (1/n) sum_j x_j")},
      {{"one_shot",
        {{"steps", "run"}},
        "parameters averaged once, at the end",
        [](const Arguments& a) { return local_sgd(schedule_of("one_shot", a, {"steps"})); }},
       "Zinkevich et al. 2010; the other end of local SGD",
       after_local_step("after T steps:   x_i <- (1/n) sum_j x_j")},
      {{"lupa_sgd",
        {{"c", "1"}, {"steps", "run"}, {"n", "run"}, {"batch", "run"}},
        "local SGD with the period that the PL analysis allows",
        [](const Arguments& a) {
          return local_sgd(schedule_of("lupa", a, {"c", "steps", "n", "batch"}));
        }},
       "Haddadpour et al. 2019 (LUPA-SGD), arXiv 1910.13598",
       after_local_step("every tau steps: x_i <- (1/n) sum_j x_j\n"
                        "tau = c T^(2/3) / (n B)^(1/3), rounded up")},
      {{"ada_lupa_sgd",
        {{"tau0"}, {"cap"}},
        "local SGD whose period grows as the loss falls",
        [](const Arguments& a) {
          return local_sgd(schedule_of("ada_loss", a, {"tau0", "cap"}));
        }},
       "Haddadpour et al. 2019 (ADA-LUPA-SGD), arXiv 1910.13598",
       after_local_step(
           "after tau_i steps: x_i <- (1/n) sum_j x_j\n"
           "tau_i = ceil((F_0 / F_i)^(1/3)) tau0, at most cap; F_i is the mean loss of "
           "the period that ended")},
      {{"ada_lupa_linear",
        {{"tau0"}, {"alpha", "none"}, {"rounds", "none"}, {"exact", "false"}, {"steps", "run"}},
        "local SGD whose period grows by a fixed share",
        [](const Arguments& a) {
          return local_sgd(
              schedule_of("ada_linear", a, {"tau0", "alpha", "rounds", "exact", "steps"}));
        }},
       "Haddadpour et al. 2019 (ADA-LUPA-SGD), arXiv 1910.13598",
       after_local_step("after tau_i steps: x_i <- (1/n) sum_j x_j\n"
                        "tau_i = (1 + i alpha) tau0, i = 0, 1, ...; the last ends at T")},
      {{"growing_local_sgd",
        {{"n0"}, {"a"}},
        "local SGD whose t-th period is n0 t^a",
        [](const Arguments& a) {
          return local_sgd(schedule_of("growing", a, {"n0", "a"}));
        }},
       "Patel & Dieuleveut 2019, arXiv 1904.11325",
       after_local_step("after N_t steps: x_i <- (1/n) sum_j x_j\n"
                        "N_t = n0 t^a, rounded up, t = 1, 2, ...")},
      {{"adacomm",
        {{"tau0"}, {"block"}},
        "local SGD whose period shrinks as the loss falls",
        [](const Arguments& a) {
          return local_sgd(schedule_of("adacomm", a, {"tau0", "block"}));
        }},
       "Wang & Joshi 2019 (AdaComm), arXiv 1810.08313",
       after_local_step("every tau steps: x_i <- (1/n) sum_j x_j\n"
                        "every `block` steps: tau <- ceil(sqrt(F / F_0) tau0), or tau / 2 if that "
                        "is not less")},
      {{"qsr",
        {{"h"}, {"c"}},
        "local SGD whose period grows as the learning rate falls",
        [](const Arguments& a) {
          return local_sgd(schedule_of("qsr", a, {"h", "c"}));
        }},
       "Gu et al. 2024 (quadratic synchronization rule), arXiv 2310.14423",
       after_local_step("every H steps:   x_i <- (1/n) sum_j x_j\n"
                        "H = max(h, floor((c / lr)^2))")},
      {{"post_local_sgd",
        {{"switch"}, {"h"}, {"first", "h"}},
        "synchronous up to a step, then local_sgd(h)",
        [](const Arguments& a) {
          const std::int64_t h = a.steps("h");
          return post_local_sgd(a.steps("switch"), h, a.is("first", "h") ? h : a.steps("first"));
        }},
       "Lin et al. 2020, arXiv 1808.07217",
       "steps t <= s:    x <- optimizer(x, (1/n) sum_i g_i(x))\n"
       "steps t > s:     x_i <- optimizer(x_i, g_i(x_i))\n"
       "t = s + h, s + 2h, ...:   x_i <- (1/n) sum_j x_j\n"
       "switch: a step, as in 500 or 5ep, or first_decay: where the learning rate first falls\n"
       "first=1: the first average at s + 1, as PyTorch's PostLocalSGD has it"},
      {{"hierarchical",
        {{"h1"}, {"m"}, {"h2"}},
        "groups of m averaged every h1 steps, everyone every h2 steps",
        [](const Arguments& a) {
          return hierarchical(a.steps("h1"), a.integer("m"), a.steps("h2"));
        }},
       "Lin et al. 2020, arXiv 1808.07217 (hierarchical local SGD)",
       after_local_step("every h1 steps:  x_i <- mean over its group\n"
                        "every h2 steps:  x_i <- (1/n) sum_j x_j, in place of the group's")},
  };
}

std::vector<Preset> with_an_anchor() {
  return {
      {{"overlap_local_sgd",
        {{"h"}, {"alpha", "0.6"}, {"beta", "0.7"}, {"first", "h"}},
        "pulled to an anchor whose average travels while the workers compute",
        [](const Arguments& a) {
          const std::int64_t h = a.steps("h");
          return overlap_local_sgd(h, a.real("alpha"), a.real("beta"),
                                   a.is("first", "h") ? h : a.steps("first"));
        }},
       "Wang, Liang, Joshi 2020, arXiv 2002.09539",
       after_local_step("every h steps:   z <- the average launched h steps before\n"
                        "                 x_i <- (1 - alpha) x_i + alpha z\n"
                        "                 launch: v <- beta v + (1/n) sum_i x_i - z;  z + v is the "
                        "next z\n"
                        "effective step:  (1 - alpha) / (1 - alpha beta) of the learning rate\n"
                        "first: the first round's step; h + 1 is the rule of the authors' code")},
      {{"cocod",
        {{"h"}},
        "local progress put on an average that travelled meanwhile",
        [](const Arguments& a) { return cocod(a.steps("h")); }},
       "Shen et al. 2019, arXiv 1906.12043",
       after_local_step(
           "every h steps:   x_i <- (average of the launch h steps before) + (x_i - x_i "
           "at that launch)\n"
           "                 launch: (1/n) sum_i x_i")},
      {{"easgd",
        {{"h"}, {"alpha"}, {"n", "run"}},
        "workers and a centre that pull each other",
        [](const Arguments& a) {
          return easgd(a.steps("h"), a.real("alpha"), a.integer_of_run("n", a.facts().workers));
        }},
       "Zhang, Choromanska, LeCun 2015, arXiv 1412.6651 (EAMSGD with a momentum of the optimizer)",
       after_local_step("every h steps:   z <- z + alpha sum_i (x_i - z)\n"
                        "                 x_i <- x_i - alpha (x_i - z before)\n"
                        "stable for (n + 1) alpha < 2")},
      {{"slowmo",
        {{"h"}, {"alpha", "1"}, {"beta", "0.5"}},
        "local SGD with a slow momentum on its averages",
        [](const Arguments& a) { return slowmo(a.steps("h"), a.real("alpha"), a.real("beta")); }},
       "Wang et al. 2020 (SlowMo), arXiv 1910.00643; Ortiz et al. 2021, arXiv 2110.08133",
       after_local_step("every h steps:   u <- beta u + (a - (1/n) sum_i x_i) / lr\n"
                        "                 a <- a - alpha lr u\n"
                        "                 x_i <- a")},
      {{"post_local_slowmo",
        {{"switch"}, {"h"}, {"alpha", "1"}, {"beta", "0.5"}},
        "synchronous up to a step, then slowmo",
        [](const Arguments& a) {
          return post_local_slowmo(a.steps("switch"), a.steps("h"), a.real("alpha"),
                                   a.real("beta"));
        }},
       "Ortiz et al. 2021, arXiv 2110.08133",
       "steps t <= s:    x <- optimizer(x, (1/n) sum_i g_i(x))\n"
       "steps t > s:     slowmo, with a = x at step s and u = 0 there"},
      {{"bmuf",
        {{"h"}, {"momentum"}, {"lr", "1"}},
        "local SGD with block momentum",
        [](const Arguments& a) { return bmuf(a.steps("h"), a.real("momentum"), a.real("lr")); }},
       "Chen & Huo 2016 (blockwise model-update filtering)",
       after_local_step("every h steps:   v <- momentum v + lr ((1/n) sum_i x_i - a)\n"
                        "                 a <- a + v\n"
                        "                 x_i <- a")},
      {{"diloco",
        {{"h"}, {"lr", "0.7"}, {"beta", "0.9"}, {"codec", "exact"}},
        "the mean progress of a period as a gradient for Nesterov's momentum",
        [](const Arguments& a) {
          return diloco(a.steps("h"), a.real("lr"), a.real("beta"),
                        build_codec(a.value("codec"), a.facts()));
        }},
       "Douillard et al. 2023 (DiLoCo), arXiv 2311.08105",
       after_local_step("every h steps:   D <- (1/n) sum_i (a - x_i)\n"
                        "                 m <- beta m + D\n"
                        "                 a <- a - lr (D + beta m)\n"
                        "                 x_i <- a\n"
                        "codec: the form in which a - x_i travels, as in int4")},
      {{"streaming_diloco",
        {{"h"},
         {"fragments"},
         {"tau"},
         {"alpha"},
         {"lr", "0.7"},
         {"beta", "0.9"},
         {"codec", "fp4"},
         {"pattern", "strided"}},
        "diloco by fragments of the model, each in flight for tau steps",
        [](const Arguments& a) {
          const Value pattern =
              call("fragment",
                   {{"index", number(0)}, {"of", number(1)}, {"pattern", a.value("pattern")}});
          const Slice slice = build(slice_choices(), pattern, "slice", a.facts());
          return streaming_diloco({a.steps("h"), a.integer("fragments"), a.integer("tau"),
                                   a.real("alpha"), a.real("lr"), a.real("beta"),
                                   build_codec(a.value("codec"), a.facts()), slice.strided});
        }},
       "Douillard et al. 2025 (Streaming DiLoCo), arXiv 2501.18512",
       after_local_step("fragment p = 0 ... P - 1 at t = (p + 1) h / P, and every h steps after:\n"
                        "                 launch D = (1/n) sum_i (a - x_i) of the fragment\n"
                        "tau steps later: m <- beta m + D;  a <- a - lr (D + beta m)\n"
                        "                 x_i <- (1 - alpha) x_i + alpha a\n"
                        "alpha is the weight of the anchor: 1 minus the paper's")},
  };
}

std::vector<Preset> with_small_messages() {
  return {
      {{"powersgd",
        {{"rank"}, {"min_rate", "2"}},
        "gradients as products of thin matrices, with error feedback",
        [](const Arguments& a) {
          const Value low_rank =
              call("low_rank", {{"rank", a.value("rank")}, {"min_rate", a.value("min_rate")}});
          return powersgd(with_error_feedback(low_rank, a));
        }},
       "Vogels et al. 2019 (PowerSGD), arXiv 1905.13727",
       "every step, for each matrix of the gradient with M_i = G_i + e_i:\n"
       "P <- (1/n) sum_i M_i Q, its columns made orthonormal\n"
       "Q <- (1/n) sum_i M_i^T P (the next step begins with it)\n"
       "x <- optimizer(x, P Q^T);  e_i <- M_i - P (M_i^T P)^T"},
      {{"qsgd",
        {{"s", "127"}, {"bucket", "512"}},
        "gradients rounded at random without bias",
        [](const Arguments& a) {
          return qsgd(build_codec(
              call("qsgd", {{"s", a.value("s")}, {"bucket", a.value("bucket")}}), a.facts()));
        }},
       "Alistarh et al. 2017 (QSGD), arXiv 1610.02132",
       "every step, of each bucket v: |v|_2 sign(v) l / s, l = s |v| / |v|_2 rounded up or down at "
       "random\n"
       "x <- optimizer(x, the mean of these)"},
      {{"ef_sign",
        {},
        "signs of gradients with error feedback",
        [](const Arguments& a) { return ef_sign(with_error_feedback(call("sign"), a)); }},
       "Karimireddy et al. 2019 (EF-SignSGD), arXiv 1901.09847",
       "every step:      p_i <- g_i + e_i;  D_i <- mean |p_i| of each tensor x sign(p_i);  e_i <- "
       "p_i - D_i\n"
       "                 x <- optimizer(x, (1/n) sum_i D_i)"},
      {{"local_ef_sign",
        {{"h"}},
        "local SGD that sends signs of its deltas with error feedback",
        [](const Arguments& a) {
          return local_ef_sign(a.steps("h"), with_error_feedback(call("sign"), a));
        }},
       "Karimireddy et al. 2019, arXiv 1901.09847; Lin et al. 2020, arXiv 1808.07217",
       after_local_step(
           "every h steps:   p_i <- a - x_i + e_i;  D_i <- mean |p_i| of each tensor x "
           "sign(p_i);  e_i <- p_i - D_i\n"
           "                 a <- a - (1/n) sum_i D_i;  x_i <- a")},
  };
}

std::vector<Preset> with_neighbours() {
  return {
      {{"gossip",
        {{"topology"}},
        "averaged with neighbours after every step (D-PSGD)",
        [](const Arguments& a) { return gossip(topology_of(a)); }},
       "Lian et al. 2017, arXiv 1705.09056",
       after_local_step("then:            x_i <- sum_j w_ij x_j")},
      {{"sgp",
        {{"topology", "one_peer_exponential"}},
        "gossip on directed graphs, by push-sum",
        [](const Arguments& a) {
          const Value whom = call("push_sum", {{"", a.value("topology")}});
          return gossip(build_topology(whom, a.facts()));
        }},
       "Assran et al. 2019 (Stochastic Gradient Push), arXiv 1811.10792",
       "every step:      x_i <- x_i + (the optimizer's step of worker i from z_i)\n"
       "then:            x_i <- sum_j p_ij x_j;  w_i <- sum_j p_ij w_j;  z_i <- x_i / w_i"},
      {{"gossip_awc",
        {{"topology"}},
        "gossip whose messages travel during a step",
        [](const Arguments& a) { return gossip_awc(topology_of(a)); }},
       "Lian et al. 2017, arXiv 1705.09056 (combine beside adapt)",
       "every step:      x_i <- sum_j w_ij x_j + (the optimizer's step of worker i from x_i)"},
      {{"gossip_pga",
        {{"topology"}, {"h"}},
        "gossip, and every h steps the mean over everyone instead",
        [](const Arguments& a) { return gossip_pga(topology_of(a), a.steps("h")); }},
       "Chen et al. 2021 (Gossip-PGA), arXiv 2105.09080",
       after_local_step(
           "then:            x_i <- (1/n) sum_j x_j at h, 2h, ..., else sum_j w_ij x_j")},
      {{"gossip_aga",
        {{"topology"}, {"h"}, {"warmup"}, {"q", "0.25"}, {"h_max", "auto"}, {"ema", "0.9"}},
        "gossip_pga whose period grows as the loss falls",
        [](const Arguments& a) {
          return gossip_pga(topology_of(a),
                            schedule_of("aga", a, {"h", "warmup", "q", "h_max", "ema"}));
        }},
       "Chen et al. 2021 (Gossip-AGA), arXiv 2105.09080",
       after_local_step(
           "then:            x_i <- (1/n) sum_j x_j at the end of a period, else sum_j "
           "w_ij x_j\n"
           "period:          h up to the step warmup; then ceil((F_init / F)^q h), from 1 "
           "to h_max\n"
           "                 F: the loss, smoothed by ema; F_init: that of the warm-up")},
      {{"gossip_slowmo",
        {{"topology"}, {"h"}, {"alpha", "1"}, {"beta", "0.5"}},
        "gossip, and every h steps slow momentum on the mean over everyone",
        [](const Arguments& a) {
          return gossip_slowmo(topology_of(a), a.steps("h"), a.real("alpha"), a.real("beta"));
        }},
       "Wang et al. 2020 (SlowMo), arXiv 1910.00643",
       after_local_step("then:            x_i <- sum_j w_ij x_j, but at h, 2h, ... as slowmo")},
  };
}

// A preset's rounds refuse what they are given in their own words, as in every(-50): steps must be
// >= 1. The user wrote local_sgd(-1ep).
Strategy built(const std::vector<Choice<Strategy>>& choices, const Value& value,
               const RunFacts& facts) {
  try {
    return build(choices, value, "strategy", facts);
  } catch (const UsageError& error) {
    const std::string message = error.what();
    if (message.find(value.name) != std::string::npos) throw;
    throw UsageError(fmt::format("{}: {}", excerpt(print(value)), message));
  }
}

}  // namespace

const std::vector<Preset>& catalogue() {
  static const std::vector<Preset> presets = [] {
    std::vector<Preset> all = synchronous_and_local();
    for (const Preset& preset : with_an_anchor()) all.push_back(preset);
    for (const Preset& preset : with_small_messages()) all.push_back(preset);
    for (const Preset& preset : with_neighbours()) all.push_back(preset);
    return all;
  }();
  return presets;
}

Strategy build_preset(const Value& value, const RunFacts& facts) {
  static const std::vector<Choice<Strategy>> choices = [] {
    std::vector<Choice<Strategy>> all;
    for (const Preset& preset : catalogue()) all.push_back(preset.choice);
    return all;
  }();
  Strategy strategy = built(choices, value, facts);
  for (const Choice<Strategy>& choice : choices) {
    if (choice.name != value.name) continue;
    strategy.preset = print(Arguments(value, choice.parameters, facts).canonical());
  }
  return strategy;
}

}  // namespace entrain
