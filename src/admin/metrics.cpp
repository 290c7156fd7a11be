// SPDX-License-Identifier: Apache-2.0
#include "admin/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <mutex>
#include <unordered_set>

namespace birthmark::admin {
namespace {

// A crowd of addresses under open trust must not become a crowd of time series.
constexpr std::size_t kMaxStations = 200;
constexpr const char* kOtherStations = "(others)";

const prometheus::Histogram::BucketBoundaries& latency_buckets() {
  static const prometheus::Histogram::BucketBoundaries kSeconds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                                0.1,    0.25,  0.5,    1,     2.5,  10};
  return kSeconds;
}

// Counters and gauges that are only known when somebody asks.
prometheus::MetricFamily family(const std::string& name, const std::string& help, prometheus::MetricType type) {
  prometheus::MetricFamily made;
  made.name = name;
  made.help = help;
  made.type = type;
  return made;
}

void add_gauge(prometheus::MetricFamily& to, std::vector<prometheus::ClientMetric::Label> labels, double value) {
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  metric.gauge.value = value;
  to.metric.push_back(std::move(metric));
}

prometheus::MetricFamily histogram_of(const CommitSizes& sizes) {
  auto made = family("birthmark_commit_size", "Changes that one transaction, and so one sync of the disk, carried",
                     prometheus::MetricType::Histogram);
  prometheus::ClientMetric metric;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < sizes.counts.size(); ++i) {
    total += sizes.counts[i];
    const bool last = i + 1 == sizes.counts.size();
    const double bound = last ? std::numeric_limits<double>::infinity() : static_cast<double>(std::uint64_t{1} << i);
    metric.histogram.bucket.push_back({total, bound});
  }
  metric.histogram.sample_count = total;
  metric.histogram.sample_sum = static_cast<double>(sizes.changes);
  made.metric.push_back(std::move(metric));
  return made;
}

}  // namespace

struct Metrics::Families {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& registrations = prometheus::BuildCounter()
                                                               .Name("birthmark_registrations_total")
                                                               .Help("Registrations by how they ended and by station")
                                                               .Register(registry);
  prometheus::Histogram& latency = prometheus::BuildHistogram()
                                       .Name("birthmark_registration_seconds")
                                       .Help("Time from a whole request to its answer")
                                       .Register(registry)
                                       .Add({}, latency_buckets());
  std::mutex mutex;
  std::unordered_set<std::string> stations;
};

Metrics::Metrics() : families_(std::make_unique<Families>()) {}
Metrics::~Metrics() = default;

void Metrics::registration(std::string_view station, std::string_view result, std::chrono::nanoseconds latency) {
  std::string label(station);
  {
    const std::lock_guard held(families_->mutex);
    if (!families_->stations.contains(label) && families_->stations.size() >= kMaxStations)
      label = kOtherStations;
    else
      families_->stations.insert(label);
  }
  families_->registrations.Add({{"result", std::string(result)}, {"station", label}}).Increment();
  families_->latency.Observe(std::chrono::duration<double>(latency).count());
}

std::string Metrics::render(const std::vector<Figure>& figures, const std::vector<Expiry>& expiries, const CommitSizes& commit_sizes,
                            bool ready) const {
  std::vector<prometheus::MetricFamily> all = families_->registry.Collect();
  auto figure =
      family("birthmark_figure", "Figures of the process and its store, as birthmark status prints them", prometheus::MetricType::Gauge);
  for (const Figure& known : figures) add_gauge(figure, {{"name", known.name}}, static_cast<double>(known.value));
  all.push_back(std::move(figure));
  auto expiry =
      family("birthmark_certificate_expiry_seconds", "When certificates end, in seconds since 1970", prometheus::MetricType::Gauge);
  for (const Expiry& known : expiries) {
    add_gauge(expiry, {{"role", known.role}, {"subject", known.subject}}, static_cast<double>(to_unix_ms(known.not_after)) / 1000.0);
  }
  all.push_back(std::move(expiry));
  all.push_back(histogram_of(commit_sizes));
  auto readiness = family("birthmark_ready", "1 when this server would issue a certificate right now", prometheus::MetricType::Gauge);
  add_gauge(readiness, {}, ready ? 1 : 0);
  all.push_back(std::move(readiness));
  return prometheus::TextSerializer().Serialize(all);
}

}  // namespace birthmark::admin
