// SPDX-License-Identifier: MIT
// examples/lab/run_folder.cpp: run.json, written and read.
#include "run_folder.hpp"

#include "experiment.hpp"
#include "joined.hpp"
#include "scheme_names.hpp"

#include <lrqat/core/config.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/io/atomic_file.hpp>
#include <lrqat/io/mapped_file.hpp>
#include <lrqat/train/checkpoint.hpp>

#include <cmath>
#include <string>

namespace lrqat::lab {

namespace {

/// The value under `key`, which must be there and of that kind.
template <class T>
T value_of(const JsonObject& object, const char* key, const std::string& where) {
  const auto found = object.find(key);
  bool fits = found != object.end();
  if (fits) {
    if constexpr (std::is_same_v<T, std::string>)
      fits = found->is_string();
    else if constexpr (std::is_unsigned_v<T>)
      fits = found->is_number_unsigned();
    else
      fits = found->is_number() && std::isfinite(found->template get<double>());
  }
  expects(fits, where, ": ", key, " is missing or of the wrong kind");
  return found->template get<T>();
}

}  // namespace

void RunFolder::write(const Run& run) const {
  make_folder(folder_);
  const Adaptation& adaptation = run.adaptation;
  const Recipe& recipe = run.recipe;
  JsonObject object{
      {"format", "lrqat.run.1"},
      {"version", joined(LRQAT_VERSION_MAJOR, '.', LRQAT_VERSION_MINOR, '.', LRQAT_VERSION_PATCH)},
      {"state", run.state},
      {"scheme", name_of(adaptation.scheme)},
      {"model", run.model.string()},
      {"rank", adaptation.rank},
      {"alpha", adaptation.alpha},
      {"seed", adaptation.seed},
      {"compute", name_of(adaptation.compute)},
      {"scale_format", name_of(adaptation.scale_type)},
      {"steps", recipe.steps},
      {"batch", recipe.batch},
      {"accumulate", recipe.accumulate},
      {"context", recipe.context},
      {"fingerprint", run.fingerprint}};
  if (!run.tokenizer.empty()) object["tokenizer"] = run.tokenizer.string();
  if (!run.result.is_null()) object["result"] = run.result;
  // A path may hold bytes that are no UTF-8; they are shown as replacement characters.
  write_file(description(),
             object.dump(2, ' ', false, JsonObject::error_handler_t::replace) + "\n");
}

Run RunFolder::read() const {
  const std::string where = description().string();
  const MappedFile file(description());
  expects(file.bytes().size() < (1u << 20), where, ": ", file.bytes().size(),
          " bytes are no run.json");
  const JsonObject object = JsonObject::parse(file.text(), nullptr, false);
  expects(object.is_object(), where, ": is not a JSON object");
  expects(value_of<std::string>(object, "format", where) == "lrqat.run.1", where,
          ": its format is not lrqat.run.1");
  Run run;
  run.state = value_of<std::string>(object, "state", where);
  run.model = value_of<std::string>(object, "model", where);
  run.adaptation.scheme = parse_scheme(value_of<std::string>(object, "scheme", where));
  run.adaptation.rank = value_of<std::size_t>(object, "rank", where);
  run.adaptation.alpha = static_cast<float>(value_of<double>(object, "alpha", where));
  run.adaptation.seed = value_of<std::uint64_t>(object, "seed", where);
  // A run from before there was a choice has no such key.
  const auto text_or = [&](const char* key, const char* fallback) {
    return object.contains(key) ? value_of<std::string>(object, key, where) : fallback;
  };
  const std::string compute = text_or("compute", "float");
  expects(compute == "float" || compute == "bf16", where, ": compute is '", compute,
          "', neither float nor bf16");
  if (compute == "bf16") run.adaptation.compute = ComputeType::bf16;
  const std::string scales = text_or("scale_format", "float");
  expects(scales == "float" || scales == "fp16", where, ": scale_format is '", scales,
          "', neither float nor fp16");
  if (scales == "fp16") run.adaptation.scale_type = ScaleType::fp16;
  run.tokenizer = text_or("tokenizer", "");
  run.recipe.steps = value_of<std::uint64_t>(object, "steps", where);
  run.recipe.batch = value_of<std::size_t>(object, "batch", where);
  run.recipe.accumulate = value_of<std::size_t>(object, "accumulate", where);
  run.recipe.context = value_of<std::size_t>(object, "context", where);
  run.fingerprint = value_of<std::string>(object, "fingerprint", where);
  if (object.contains("result")) run.result = object["result"];
  return run;
}

Model restore(const RunFolder& folder, const Run& run, const LlamaWeights& weights) {
  const std::string model = model_part(weights);
  expects(run.fingerprint.compare(0, model.size(), model) == 0, folder.path().string(),
          ": the model ", run.model.string(), " has changed since this run");
  Model restored = make_model(weights, run.adaptation);
  AdamW optimizer = make_optimizer(restored, run.adaptation.scheme, run.recipe);
  restore_checkpoint(folder.checkpoint(), run.fingerprint, optimizer);
  return restored;
}

}  // namespace lrqat::lab
