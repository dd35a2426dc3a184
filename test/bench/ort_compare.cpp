//===- ort_compare.cpp - Times a compiled model next to its peers ---------===//
//
// What it is for: times per inference that mean something on a machine whose speed drifts. How it works: all
// contestants run in this process, on the same CPUs (one, unless --threads says more) and inputs. Their outputs are
// compared first. Then rounds A B C, A B C ... follow, each of a short sample per contestant (one run, or as many as
// fill `--sample-ms`). Absolute times are medians over the rounds; a ratio is the median of the ratios within the
// rounds, so what slows all down at the same time cancels out.
//
//   ort_compare --onnx M.onnx --data DIR --ort libonnxruntime.so.1 --lib ours=ours.so --peer onednn=Onednn.so
//
// A contestant whose first run is already longer than --slow-ms joins in only as many rounds as that time allows, at
// least one. Idle threads of a library spin for a while: with --pause-ms each sample waits so long before it begins,
// and an untimed run wakes its own threads. --ort-profile makes ONNX Runtime write a profile of all its runs; its name
// begins with that value. Dims that a library leaves open are those of the dataset's arrays. Prints one JSON object.
// Exit status 1 when something fails or outputs differ.
//
//===----------------------------------------------------------------------===//
#include "onnx_aot/runtime.h"
#include "test/bench/Contestant.h"
#include "test/bench/OrtApi.h"
#include "test/bench/SizedModel.h"
#include "test/e2e/harness.h"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <sched.h>
#include <sstream>
#include <thread>

using namespace onnx_aot::bench;

namespace {
struct Settings {
  std::string data, ort;
  OrtSettings session;
  std::vector<std::pair<std::string, std::string>> libraries, peers; // name, path
  std::vector<int> cpus;
  double seconds = 2, sampleMs = 1, slowMs = 1000, pauseMs = 0;
  int rounds = 101;
};

struct Timing {
  long runsPerSample = 1;
  double firstMs = 0;
  int rounds = 0;              // in which it takes part
  std::vector<double> samples; // ms per run; NaN in rounds that it skips
};

std::pair<std::string, std::string> nameAndPath(const std::string &value) {
  size_t equals = value.find('=');
  if (equals == std::string::npos)
    fail("%s: NAME=FILE is wanted", value.c_str());
  return {value.substr(0, equals), value.substr(equals + 1)};
}

Settings parse(int argc, char **argv) {
  Settings settings;
  for (int i = 1; i < argc; ++i) {
    std::string flag = argv[i];
    if (++i == argc)
      fail("%s: a value is missing", flag.c_str());
    std::string value = argv[i];
    if (flag == "--onnx")
      settings.session.onnx = value;
    else if (flag == "--data")
      settings.data = value;
    else if (flag == "--ort")
      settings.ort = value;
    else if (flag == "--ort-profile")
      settings.session.profile = value;
    else if (flag == "--lib")
      settings.libraries.push_back(nameAndPath(value));
    else if (flag == "--peer")
      settings.peers.push_back(nameAndPath(value));
    else if (flag == "--threads")
      settings.session.threads = std::max(1, std::stoi(value));
    else if (flag == "--seconds")
      settings.seconds = std::stod(value);
    else if (flag == "--sample-ms")
      settings.sampleMs = std::stod(value);
    else if (flag == "--slow-ms")
      settings.slowMs = std::stod(value);
    else if (flag == "--pause-ms")
      settings.pauseMs = std::stod(value);
    else if (flag == "--rounds")
      settings.rounds = std::max(1, std::stoi(value));
    else if (flag == "--cpu")
      for (std::stringstream list(value); std::getline(list, value, ',');)
        settings.cpus.push_back(std::stoi(value));
    else
      fail("unknown flag %s %s", flag.c_str(), value.c_str());
  }
  if (settings.libraries.empty() || settings.data.empty())
    fail("usage: ort_compare --data DIR --lib NAME=FILE.so ... [--ort LIBRARY --onnx MODEL.onnx]\n"
         "       [--ort-profile PREFIX] [--peer NAME=FILE.so ...] [--threads N] [--cpu N,N...]\n"
         "       [--seconds S] [--rounds N] [--sample-ms MS] [--slow-ms MS] [--pause-ms MS]");
  return settings;
}

double runTimed(Contestant &contestant, long runs) {
  auto start = std::chrono::steady_clock::now();
  for (long i = 0; i < runs; ++i)
    contestant.run();
  std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
  return elapsed.count() / runs;
}

/// Time per run, once what others have left running has gone to sleep.
double sample(Contestant &contestant, long runs, double pauseMs) {
  if (pauseMs > 0) {
    std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(pauseMs));
    contestant.run();
  }
  return runTimed(contestant, runs);
}

double quantile(std::vector<double> values, double at) {
  values.erase(std::remove_if(values.begin(), values.end(), [](double v) { return std::isnan(v); }), values.end());
  if (values.empty())
    return NAN;
  std::sort(values.begin(), values.end());
  return values[size_t(std::lround(at * (values.size() - 1)))];
}

double mean(const std::vector<double> &values) {
  double sum = 0;
  int count = 0;
  for (double value : values)
    if (!std::isnan(value)) {
      sum += value;
      ++count;
    }
  return sum / count;
}

/// How far `outputs` are from `reference`, in units of the default tolerance; integers must be equal.
double excess(const onnx_aot_model *model, const std::vector<void *> &outputs, const std::vector<void *> &reference) {
  double worst = 0;
  for (uint32_t i = 0; i < model->num_outputs; ++i) {
    size_t bytes = model->outputs[i].bytes;
    int dtype = model->outputs[i].dtype;
    double here = dtype == ONNX_AOT_FLOAT                        ? floatExcess(outputs[i], reference[i], bytes / 4, 0)
                  : dtype == ONNX_AOT_DOUBLE                     ? floatExcess(outputs[i], reference[i], bytes / 8, 1)
                  : std::memcmp(outputs[i], reference[i], bytes) ? INFINITY
                                                                 : 0;
    worst = std::max(worst, here);
  }
  return worst;
}

/// Warms up, decides how many runs make a sample and in how many rounds each contestant can take part.
std::vector<Timing> prepare(std::vector<std::unique_ptr<Contestant>> &contestants, const Settings &settings,
                            int &rounds) {
  std::vector<Timing> timings(contestants.size());
  double fastRoundMs = 0;
  for (size_t i = 0; i < contestants.size(); ++i) {
    Timing &timing = timings[i];
    timing.firstMs = runTimed(*contestants[i], 1);
    if (timing.firstMs > settings.slowMs)
      continue;
    double ms = runTimed(*contestants[i], timing.firstMs < 20 ? 3 : 1);
    timing.runsPerSample = std::max(1L, std::lround(settings.sampleMs / std::max(ms, 1e-6)));
    fastRoundMs += ms * timing.runsPerSample + (settings.pauseMs > 0 ? settings.pauseMs + ms : 0);
  }
  rounds = int(std::min<double>(settings.rounds, std::max(3.0, settings.seconds * 1000 / std::max(fastRoundMs, 1e-3))));
  for (Timing &timing : timings)
    timing.rounds = timing.firstMs > settings.slowMs
                        ? int(std::min<double>(rounds, std::max(1.0, settings.seconds * 1000 / timing.firstMs)))
                        : rounds;
  return timings;
}

void printJson(const std::vector<std::unique_ptr<Contestant>> &contestants, const std::vector<Timing> &timings,
               const std::vector<double> &differences, const onnx_aot_model *model, const std::string &version,
               const std::vector<std::pair<std::string, std::string>> &peerVersions, int rounds, int threads) {
  auto number = [](double value) {
    if (std::isfinite(value))
      std::printf("%.6g", value);
    else
      std::printf("null");
  };
  std::printf(
      "{\"rounds\": %d, \"threads\": %d, \"ort_version\": \"%s\", \"arena_bytes\": %llu, \"weight_bytes\": %llu",
      rounds, threads, version.c_str(), (unsigned long long)model->arena_bytes,
      (unsigned long long)model->weight_bytes);
  std::printf(", \"peer_versions\": {");
  for (size_t i = 0; i < peerVersions.size(); ++i)
    std::printf("%s\"%s\": \"%s\"", i ? ", " : "", peerVersions[i].first.c_str(), peerVersions[i].second.c_str());
  std::printf("}, \"contestants\": {");
  for (size_t i = 0; i < contestants.size(); ++i) {
    std::printf("%s\"%s\": {\"median_ms\": ", i ? ", " : "", contestants[i]->name.c_str());
    number(quantile(timings[i].samples, 0.5));
    std::printf(", \"mean_ms\": ");
    number(mean(timings[i].samples));
    std::printf(", \"min_ms\": ");
    number(quantile(timings[i].samples, 0));
    std::printf(", \"p90_ms\": ");
    number(quantile(timings[i].samples, 0.9));
    std::printf(", \"samples\": %d, \"runs_per_sample\": %ld, \"difference\": ", timings[i].rounds,
                timings[i].runsPerSample);
    number(differences[i]);
    std::printf("}");
  }
  // How many times faster the contestant called "ours" (the first library) is than each other one.
  std::printf("}, \"faster_than\": {");
  size_t ours = contestants[0]->name == "ort" ? 1 : 0;
  bool first = true;
  for (size_t i = 0; i < contestants.size(); ++i) {
    if (i == ours)
      continue;
    std::vector<double> ratios;
    for (int round = 0; round < rounds; ++round)
      ratios.push_back(timings[i].samples[round] / timings[ours].samples[round]);
    std::printf("%s\"%s\": {\"median\": ", first ? "" : ", ", contestants[i]->name.c_str());
    number(quantile(ratios, 0.5));
    std::printf(", \"p10\": ");
    number(quantile(ratios, 0.1));
    std::printf(", \"p90\": ");
    number(quantile(ratios, 0.9));
    std::printf("}");
    first = false;
  }
  std::printf("}}\n");
}
} // namespace

int main(int argc, char **argv) {
  Settings settings = parse(argc, argv);
  if (!settings.cpus.empty()) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int cpu : settings.cpus)
      CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
      fail("the CPUs of --cpu cannot be had");
  }
  // Read by the peers' libraries when they are loaded.
  std::string threads = std::to_string(settings.session.threads);
  for (const char *variable : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"})
    setenv(variable, threads.c_str(), 1);

  SizedModel sized(openModel(settings.libraries[0].second), settings.data);
  const onnx_aot_model *model = &sized.model;
  std::vector<void *> inputs;
  for (uint32_t i = 0; i < model->num_inputs; ++i) {
    const onnx_aot_tensor_info &info = model->inputs[i];
    char file[256];
    datasetFile(settings.data.c_str(), "in", info.name, file, sizeof file);
    void *data = readNpy(settings.data.c_str(), file, info.dtype, info.bytes);
    inputs.push_back(newBuffer(info.bytes));
    std::memcpy(inputs.back(), data, info.bytes);
    free(data);
  }

  std::string version;
  std::unique_ptr<OrtLibrary> ort; // outlives its session
  std::vector<std::unique_ptr<Contestant>> contestants;
  if (!settings.ort.empty()) {
    ort = std::make_unique<OrtLibrary>(settings.ort.c_str());
    if (!ort->loaded())
      fail("%s", ort->error().c_str());
    version = ort->version();
    contestants.push_back(makeOrtSession(*ort, settings.session, model, inputs));
    contestants.back()->name = "ort";
  }
  for (auto &[name, path] : settings.libraries) {
    contestants.push_back(makeCompiled(std::make_unique<SizedModel>(openModel(path), settings.data), inputs));
    contestants.back()->name = name;
  }
  std::vector<std::pair<std::string, std::string>> peerVersions;
  for (auto &[name, path] : settings.peers) {
    peerVersions.emplace_back(name, "");
    contestants.push_back(makePeer(path, settings.data, model, inputs, peerVersions.back().second));
    contestants.back()->name = name;
  }

  int rounds;
  std::vector<Timing> timings = prepare(contestants, settings, rounds);
  // The runs so far have left outputs; the first contestant's are what the others are compared with.
  std::vector<double> differences;
  bool differ = false;
  for (auto &contestant : contestants) {
    differences.push_back(excess(model, contestant->outputs, contestants[0]->outputs));
    if (!(differences.back() <= 1)) {
      std::fprintf(stderr, "%s: outputs differ from those of %s: %g times the tolerance\n", contestant->name.c_str(),
                   contestants[0]->name.c_str(), differences.back());
      differ = true;
    }
  }

  for (int round = 0; round < rounds; ++round)
    for (size_t i = 0; i < contestants.size(); ++i) {
      Timing &timing = timings[i];
      timing.samples.push_back(round < timing.rounds ? sample(*contestants[i], timing.runsPerSample, settings.pauseMs)
                                                     : NAN);
    }
  printJson(contestants, timings, differences, model, version, peerVersions, rounds, settings.session.threads);
  for (void *input : inputs)
    free(input);
  return differ ? 1 : 0;
}
