"""Pushes every kind of instrument of OpenTelemetry's Python SDK, twice.

    otlp.py URL TEMPORALITY ENCODING

TEMPORALITY is cumulative or delta; ENCODING is protobuf, json (the same requests as protobuf's own
library writes them in JSON), or default (protobuf to wherever the SDK pushes when it is told
nothing). Each request is sent twice, as after a lost answer. What must be stored then is in
xtask/src/clients/otlp/values.rs.
"""

import gzip
import sys
import time

import requests
from google.protobuf import json_format
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import (
    Counter,
    Histogram,
    MeterProvider,
    ObservableCounter,
    ObservableGauge,
    ObservableUpDownCounter,
    UpDownCounter,
)
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    MetricExporter,
    MetricExportResult,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource

url, temporality, encoding = sys.argv[1:]

if temporality == "delta":
    kinds = (Counter, Histogram, ObservableCounter, UpDownCounter, ObservableUpDownCounter)
    preferred = {kind: AggregationTemporality.DELTA for kind in kinds}
else:
    preferred = {}


class Json(MetricExporter):
    """The SDK's requests in JSON, gzipped."""

    def export(self, metrics_data, timeout_millis=10_000, **kwargs):
        message = encode_metrics(metrics_data)
        text = json_format.MessageToJson(message)
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        answer = requests.post(f"{url}/v1/metrics", gzip.compress(text.encode()), headers=headers)
        if answer.json() != {}:
            print(answer.text, file=sys.stderr)
            return MetricExportResult.FAILURE
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis=10_000):
        return True

    def shutdown(self, timeout_millis=30_000, **kwargs):
        pass


class Twice(MetricExporter):
    """Sends everything again, as after a lost answer."""

    def __init__(self, inner):
        super().__init__(preferred_temporality=preferred)
        self.inner = inner

    def export(self, metrics_data, timeout_millis=10_000, **kwargs):
        for _ in range(2):
            result = self.inner.export(metrics_data, timeout_millis, **kwargs)
            if result is not MetricExportResult.SUCCESS:
                sys.exit(f"the export ended with {result}")
        return result

    def force_flush(self, timeout_millis=10_000):
        return self.inner.force_flush(timeout_millis)

    def shutdown(self, timeout_millis=30_000, **kwargs):
        self.inner.shutdown(timeout_millis, **kwargs)


if encoding == "json":
    exporter = Json()
elif encoding == "default":
    exporter = OTLPMetricExporter(preferred_temporality=preferred)
else:
    exporter = OTLPMetricExporter(
        endpoint=f"{url}/v1/metrics",
        compression=Compression.Gzip,
        preferred_temporality=preferred,
    )
resource = Resource.create(
    {
        "service.name": f"python-{temporality}-{encoding}",
        "service.namespace": "clients",
        "service.instance.id": "one",
        "deployment.environment.name": "test",
        "host.name": "here",
        "some.list": ["a", "b"],
    }
)
reader = PeriodicExportingMetricReader(Twice(exporter), export_interval_millis=3_600_000)
provider = MeterProvider(
    resource=resource,
    metric_readers=[reader],
    views=[
        View(
            instrument_name="request.size",
            aggregation=ExponentialBucketHistogramAggregation(max_size=20),
        )
    ],
)
meter = provider.get_meter("clients.otlp", "1.2")

turn = 1
counter = meter.create_counter("orders.placed", unit="{order}", description="Orders placed.")
updown = meter.create_up_down_counter("queue.length")
histogram = meter.create_histogram(
    "request.duration", unit="s", explicit_bucket_boundaries_advisory=[0.1, 0.5, 1.0]
)
exponential = meter.create_histogram("request.size", unit="By")
gauge = meter.create_gauge("room.temperature", unit="Cel")
meter.create_observable_counter(
    "cpu.time", [lambda _: [Observation(1.5 * turn, {"cpu.mode": "user"})]], unit="s"
)
meter.create_observable_up_down_counter("pool.used", [lambda _: [Observation(10 - turn)]])
meter.create_observable_gauge("cpu.utilization", [lambda _: [Observation(0.25 * turn)]], unit="1")

for turn in (1, 2):
    counter.add(2, {"shop.kind": "web"})
    counter.add(3 * turn, {"shop.kind": "app"})
    updown.add(5 if turn == 1 else -7)
    # Halves of halves, so that sums are exact.
    for seconds in (0.0625, 0.25, 0.75, 3.0):
        histogram.record(seconds * turn)
    for size in (1.5, 3, 3) if turn == 1 else (0, 100, 5_000):
        exponential.record(size)
    gauge.set(20.5 + turn)
    provider.force_flush()
    # Intervals have lengths.
    time.sleep(0.05)
provider.shutdown()
