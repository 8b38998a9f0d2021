// SPDX-License-Identifier: MIT
// train/fit_scaling_law.hpp: the constants of a ScalingLaw from the losses of finished runs.
#ifndef LRQAT_TRAIN_FIT_SCALING_LAW_HPP
#define LRQAT_TRAIN_FIT_SCALING_LAW_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/train/detail/bfgs.hpp>
#include <lrqat/train/detail/power_sum.hpp>
#include <lrqat/train/scaling_law.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <set>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace lrqat {

/// A finished training and what it ended with.
struct ScalingRun {
  double parameters = 0, tokens = 0;
  double group_size = 1;  // 1: not quantized
  double loss = 0;        // nats for a token
};

struct ScalingFitOptions {
  /// Relative error of a loss from which on it counts by its size in place of its square, so that a
  /// run that went wrong does not bend the law. 1e-3 is Hoffmann et al.'s.
  double huber_width = 1e-3;
};

struct ScalingFit {
  ScalingLaw law{};
  std::vector<double> residuals{};  // predicted / measured - 1, in the order of the runs
  double mean_error = 0;            // mean of their sizes
  double max_error = 0;             // the largest size
};

namespace detail {

class ScalingFitter {
 public:
  ScalingFitter(std::span<const ScalingRun> runs, const ScalingFitOptions& options)
      : width_(options.huber_width) {
    expects(std::isfinite(width_) && width_ > 0, who, "huber_width is ", width_,
            ", it must be finite and positive");
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const ScalingRun& run = runs[i];
      const auto positive = [&](double value, const char* what) {
        expects(std::isfinite(value) && value > 0, who, what, " of run ", i + 1, " of ",
                runs.size(), " is ", value, ", it must be finite and positive");
      };
      positive(run.parameters, "the number of parameters");
      positive(run.tokens, "the number of tokens");
      positive(run.loss, "the loss");
      expects(std::isfinite(run.group_size) && run.group_size >= 1, who, "the group size of run ",
              i + 1, " of ", runs.size(), " is ", run.group_size,
              ", it must be finite and at least 1");
      (run.group_size == 1 ? float_runs_ : quantized_runs_).push_back(run);
    }
    // One order of the sums whatever the order of the runs.
    for (std::vector<ScalingRun>* each : {&float_runs_, &quantized_runs_})
      std::sort(each->begin(), each->end(), [](const ScalingRun& a, const ScalingRun& b) {
        return std::tie(a.parameters, a.tokens, a.group_size, a.loss) <
               std::tie(b.parameters, b.tokens, b.group_size, b.loss);
      });
    check_design();
  }

  ScalingLaw operator()() const {
    ScalingLaw law;
    fit_float(law);
    fit_quantized(law);
    return law;
  }

 private:
  static constexpr const char* who = "fit_scaling_law: ";
  static constexpr int iterations = 500;
  static constexpr double tolerance = 1e-9;  // of the gradient of PowerSumError

  template <class F>
  static std::vector<double> column(const std::vector<ScalingRun>& runs, F&& of_run) {
    std::vector<double> values;
    for (const ScalingRun& run : runs) values.push_back(of_run(run));
    return values;
  }
  static std::vector<double> log_parameters(const std::vector<ScalingRun>& runs) {
    return column(runs, [](const ScalingRun& run) { return std::log(run.parameters); });
  }
  static std::vector<double> log_tokens(const std::vector<ScalingRun>& runs) {
    return column(runs, [](const ScalingRun& run) { return std::log(run.tokens); });
  }
  static std::vector<double> log_log_group(const std::vector<ScalingRun>& runs) {
    return column(runs, [](const ScalingRun& run) { return std::log(std::log2(run.group_size)); });
  }
  static std::vector<double> losses(const std::vector<ScalingRun>& runs) {
    return column(runs, [](const ScalingRun& run) { return run.loss; });
  }

  static double mean(const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return sum / static_cast<double>(values.size());
  }
  /// sign * (value - mean): around its mean a feature does not move a term's coefficient.
  static std::vector<double> centred(std::vector<double> values, double sign) {
    const double centre = mean(values);
    for (double& value : values) value = sign * (value - centre);
    return values;
  }

  static std::size_t distinct(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return static_cast<std::size_t>(std::unique(values.begin(), values.end()) - values.begin());
  }

  /// Whether some column follows from the others (and from a constant): Gram-Schmidt.
  static bool are_dependent(std::vector<std::vector<double>> columns) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      columns[c] = centred(std::move(columns[c]), 1);
      const auto dot = [&](std::size_t a, std::size_t b) {
        double sum = 0;
        for (std::size_t i = 0; i < columns[a].size(); ++i) sum += columns[a][i] * columns[b][i];
        return sum;
      };
      const double before = dot(c, c);
      for (std::size_t other = 0; other < c; ++other) {
        const double along = dot(c, other) / dot(other, other);
        for (std::size_t i = 0; i < columns[c].size(); ++i)
          columns[c][i] -= along * columns[other][i];
      }
      if (!(dot(c, c) > 1e-6 * before)) return true;
    }
    return false;
  }

  void check_design() const {
    const auto places = [](const std::vector<ScalingRun>& runs) {
      std::set<std::array<double, 3>> all;
      for (const ScalingRun& run : runs) all.insert({run.parameters, run.tokens, run.group_size});
      return all.size();
    };
    const auto several = [](std::size_t there, std::size_t needed, const char* of_what,
                            const char* constants) {
      expects(there >= needed, who, there, " different ", of_what, "; ", constants,
              " need at least ", needed);
    };
    several(places(float_runs_), 5, "unquantized runs (group size 1)", "A, alpha, B, beta and E");
    several(distinct(log_parameters(float_runs_)), 3, "sizes N of unquantized runs",
            "A, alpha and E");
    several(distinct(log_tokens(float_runs_)), 3, "token counts D of unquantized runs",
            "B, beta and E");
    several(places(quantized_runs_), 4, "quantized runs", "k, gamma_n, gamma_d and gamma_g");
    several(distinct(log_parameters(quantized_runs_)), 2, "sizes N of quantized runs",
            "k and gamma_n");
    several(distinct(log_tokens(quantized_runs_)), 2, "token counts D of quantized runs",
            "k and gamma_d");
    several(distinct(log_log_group(quantized_runs_)), 2, "group sizes G of quantized runs",
            "k and gamma_g");
    expects(!are_dependent({log_parameters(float_runs_), log_tokens(float_runs_)}) &&
                !are_dependent({log_parameters(quantized_runs_), log_tokens(quantized_runs_),
                                log_log_group(quantized_runs_)}),
            who, "sizes, token counts and group sizes of the runs only change together; their ",
            "effects cannot be told apart");
  }

  /// The lowest minimum that any of the starts leads to; of equal ones the first.
  template <class Starts>
  static std::vector<double> lowest(const PowerSumError& error, const Starts& starts) {
    Minimum best;
    for (const std::vector<double>& start : starts) {
      Minimum found = Bfgs<const PowerSumError>(error, start)(iterations, tolerance);
      if (found.value < best.value) best = std::move(found);
    }
    expects(std::isfinite(best.value), who, "no law fits these losses");
    return best.x;
  }

  static constexpr std::array<double, 3> first_exponents{0.1, 0.4, 1.0};

  void fit_float(ScalingLaw& law) const {
    const std::vector<double> size = log_parameters(float_runs_), data = log_tokens(float_runs_);
    const PowerSumError error({{{centred(size, -1)}}, {{centred(data, -1)}}, {}},
                              std::vector<double>(float_runs_.size(), 0.0), losses(float_runs_),
                              width_);
    const double usual_loss = mean(losses(float_runs_));
    // Parts of the loss that the terms of N and D may have; the rest is E.
    constexpr std::array<std::pair<double, double>, 6> parts{
        {{0.1, 0.1}, {0.3, 0.1}, {0.1, 0.3}, {0.3, 0.3}, {0.7, 0.1}, {0.1, 0.7}}};
    std::vector<std::vector<double>> starts;
    for (const auto& [of_size, of_data] : parts)
      for (const double alpha : first_exponents)
        for (const double beta : first_exponents)
          starts.push_back({std::log(of_size * usual_loss), std::log(alpha),
                            std::log(of_data * usual_loss), std::log(beta),
                            std::log((1 - of_size - of_data) * usual_loss)});
    const std::vector<double> x = lowest(error, starts);
    law.alpha = std::exp(x[1]);
    law.a = std::exp(x[0] + law.alpha * mean(size));
    law.beta = std::exp(x[3]);
    law.b = std::exp(x[2] + law.beta * mean(data));
    law.e = std::exp(x[4]);
  }

  /// The loss without quantization: measured where such a run is there, else by the law.
  std::vector<double> float_losses_of_quantized(const ScalingLaw& law) const {
    return column(quantized_runs_, [&](const ScalingRun& run) {
      double sum = 0, count = 0;
      for (const ScalingRun& twin : float_runs_)
        if (twin.parameters == run.parameters && twin.tokens == run.tokens) {
          sum += twin.loss;
          count += 1;
        }
      return count > 0 ? sum / count : law.float_loss(run.parameters, run.tokens);
    });
  }

  void fit_quantized(ScalingLaw& law) const {
    const std::vector<double> size = log_parameters(quantized_runs_),
                              data = log_tokens(quantized_runs_),
                              group = log_log_group(quantized_runs_),
                              base = float_losses_of_quantized(law);
    const PowerSumError error({{{centred(size, -1), centred(data, 1), centred(group, 1)}}}, base,
                              losses(quantized_runs_), width_);
    double usual_error = 0;
    for (std::size_t i = 0; i < base.size(); ++i)
      usual_error +=
          std::max(quantized_runs_[i].loss - base[i], 0.0) / static_cast<double>(base.size());
    usual_error = std::max(usual_error, 1e-6 * mean(base));
    std::vector<std::vector<double>> starts;
    for (const double of_size : first_exponents)
      for (const double of_data : first_exponents)
        for (const double of_group : first_exponents)
          starts.push_back(
              {std::log(usual_error), std::log(of_size), std::log(of_data), std::log(of_group)});
    const std::vector<double> x = lowest(error, starts);
    law.gamma_n = std::exp(x[1]);
    law.gamma_d = std::exp(x[2]);
    law.gamma_g = std::exp(x[3]);
    law.k = std::exp(x[0] + law.gamma_n * mean(size) - law.gamma_d * mean(data) -
                     law.gamma_g * mean(group));
  }

  double width_;
  std::vector<ScalingRun> float_runs_, quantized_runs_;  // in one order
};

}  // namespace detail

/// The law of these runs, by the smallest sum of Huber's loss of the errors of log L (Hoffmann et
/// al. 2022, appendix D.3).
///
/// In two stages: A, alpha, B, beta and E from the unquantized runs alone, then k and the gammas
/// from the quantized ones. There the error of quantization is counted from the unquantized run of
/// the same size and tokens where there is one, as the paper defines delta (from the mean of
/// several), and from the law elsewhere. Constants are sought as their logarithms, so that all come
/// out positive, as the paper states them; one that the runs would rather have negative, such as
/// the gamma_d of an error that falls with tokens, comes out as nearly 0. Descents start from a
/// fixed grid, and one thread adds in one order: the same runs give the same bits in whatever order
/// they come. The starts, and the stages where the paper may fit at once, are ours.
///
/// Where quantized runs are no worse than their unquantized twins, k is next to 0 and the gammas
/// mean nothing.
///
/// Errors: a loss, a size, a token count that is not finite and positive; a group size below 1;
/// fewer than 5 different unquantized runs over 3 sizes and 3 token counts; fewer than 4 quantized
/// ones over 2 sizes, 2 token counts and 2 group sizes; runs in which these only change together.
inline ScalingFit fit_scaling_law(std::span<const ScalingRun> runs,
                                  const ScalingFitOptions& options = {}) {
  ScalingFit fit;
  fit.law = detail::ScalingFitter(runs, options)();
  for (const ScalingRun& run : runs) {
    const double predicted = fit.law.loss(run.parameters, run.tokens, run.group_size);
    const double residual = predicted / run.loss - 1;
    fit.residuals.push_back(residual);
    fit.mean_error += std::abs(residual) / static_cast<double>(runs.size());
    fit.max_error = std::max(fit.max_error, std::abs(residual));
  }
  return fit;
}

}  // namespace lrqat

#endif  // LRQAT_TRAIN_FIT_SCALING_LAW_HPP
