#pragma once

#include "entrain/strategy/schedule.h"

namespace entrain {

/// Schedules that follow the run: the loss, averaged over the workers and over the steps of the
/// period that ended, or the learning rate. F_0 is the loss of the first period. Where no new loss
/// has arrived the interval stays. All throw UsageError for arguments out of their range.

/// Intervals ceil((F_0 / F)^(1/3)) tau0, at most `cap` (ADA-LUPA-SGD, Haddadpour et al. 2019);
/// `cap` where F <= 0.
Schedule ada_loss(std::int64_t tau0, std::int64_t cap);

/// At the first due step in each further block of `block` steps: tau = ceil(sqrt(F / F_0) tau0), or
/// half of what it was if that is not less (AdaComm, Wang & Joshi 2019).
Schedule adacomm(std::int64_t tau0, std::int64_t block);

/// The schedule of Gossip-AGA (Chen et al. 2021). Up to the step `warmup`: every h, and F_init <-
/// (F_init + F) / 2, F_init = F at first. Then intervals ceil((F_init / S)^q h) from 1 to h_max,
/// with S an exponential moving average of F, S <- ema S + (1 - ema) F.
Schedule aga(std::int64_t h, std::int64_t warmup, double q, std::int64_t h_max, double ema);

/// Intervals max(h, floor((c / lr)^2)) (QSR, Gu et al. 2024).
Schedule qsr(std::int64_t h, double c);

const std::vector<Choice<Schedule>>& adaptive_schedule_choices();

}  // namespace entrain
