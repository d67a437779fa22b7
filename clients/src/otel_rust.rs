//! Pushes every kind of instrument of OpenTelemetry's SDK for Rust, twice.
//!
//!   otel-rust URL TEMPORALITY ENCODING
//!
//! TEMPORALITY is cumulative or delta; ENCODING is protobuf or json, both packed with gzip, or default
//! (whatever the SDK sends, and wherever to, when it is told nothing). Each request is sent twice, as
//! after a lost answer. What must be stored then is in xtask/src/clients/otlp/values.rs.

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry::{InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_otlp::{Compression, MetricExporter, Protocol, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{
    Aggregation, Instrument, PeriodicReader, SdkMeterProvider, Stream, Temporality,
};

/// Which round of values is being pushed, from 1; those that observe look here.
static TURN: AtomicU32 = AtomicU32::new(1);

/// Between two pushes, and from the beginning to the first: within one millisecond nothing begins.
const INTERVAL: Duration = Duration::from_millis(50);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, temporality, encoding] = arguments.as_slice() else {
        return Err("usage: otel-rust URL cumulative|delta protobuf|json|default".into());
    };
    let reader = PeriodicReader::builder(Twice(exporter(url, temporality, encoding)?))
        .with_interval(Duration::from_hours(1))
        .build();
    let provider = SdkMeterProvider::builder()
        .with_resource(resource(&format!("rust-{temporality}-{encoding}")))
        .with_reader(reader)
        .with_view(exponential)
        .build();
    let scope = InstrumentationScope::builder("clients.otlp")
        .with_version("1.2")
        .build();
    push(&provider.meter_with_scope(scope), &provider)?;
    provider.shutdown()?;
    Ok(())
}

fn exporter(
    url: &str,
    temporality: &str,
    encoding: &str,
) -> Result<MetricExporter, Box<dyn Error>> {
    let temporality: Temporality = temporality.parse().map_err(|()| "no such temporality")?;
    let builder = MetricExporter::builder().with_temporality(temporality);
    let protocol = match encoding {
        "default" => return Ok(builder.build()?),
        "json" => Protocol::HttpJson,
        "protobuf" => Protocol::HttpBinary,
        _ => return Err("no such encoding".into()),
    };
    let builder = builder
        .with_http()
        .with_endpoint(format!("{url}/v1/metrics"))
        .with_protocol(protocol)
        .with_compression(Compression::Gzip);
    Ok(builder.build()?)
}

fn resource(service: &str) -> Resource {
    let list = ["a", "b"].map(StringValue::from).to_vec();
    Resource::builder()
        .with_service_name(service.to_owned())
        .with_attributes([
            KeyValue::new("service.namespace", "clients"),
            KeyValue::new("service.instance.id", "one"),
            KeyValue::new("deployment.environment.name", "test"),
            KeyValue::new("host.name", "here"),
            KeyValue::new("some.list", Value::Array(list.into())),
        ])
        .build()
}

/// One of the histograms has exponential buckets.
fn exponential(instrument: &Instrument) -> Option<Stream> {
    let aggregation = Aggregation::Base2ExponentialHistogram {
        max_size: 20,
        max_scale: 20,
        record_min_max: true,
    };
    (instrument.name() == "request.size")
        .then(|| Stream::builder().with_aggregation(aggregation).build().ok())?
}

fn push(meter: &Meter, provider: &SdkMeterProvider) -> Result<(), Box<dyn Error>> {
    let counter = meter
        .u64_counter("orders.placed")
        .with_unit("{order}")
        .with_description("Orders placed.")
        .build();
    let updown = meter.i64_up_down_counter("queue.length").build();
    let histogram = meter
        .f64_histogram("request.duration")
        .with_unit("s")
        .with_boundaries(vec![0.1, 0.5, 1.0])
        .build();
    let exponential = meter.f64_histogram("request.size").with_unit("By").build();
    let gauge = meter.f64_gauge("room.temperature").with_unit("Cel").build();
    observe(meter);
    for turn in [1, 2] {
        TURN.store(turn, Ordering::SeqCst);
        counter.add(2, &[KeyValue::new("shop.kind", "web")]);
        counter.add(3 * u64::from(turn), &[KeyValue::new("shop.kind", "app")]);
        updown.add(if turn == 1 { 5 } else { -7 }, &[]);
        // Halves of halves, so that sums are exact.
        for seconds in [0.0625, 0.25, 0.75, 3.0] {
            histogram.record(seconds * f64::from(turn), &[]);
        }
        let sizes = if turn == 1 {
            [1.5, 3.0, 3.0]
        } else {
            [0.0, 100.0, 5_000.0]
        };
        for size in sizes {
            exponential.record(size, &[]);
        }
        gauge.record(20.5 + f64::from(turn), &[]);
        thread::sleep(INTERVAL);
        provider.force_flush()?;
    }
    thread::sleep(INTERVAL);
    Ok(())
}

/// The instruments that are asked.
fn observe(meter: &Meter) {
    let turn = || f64::from(TURN.load(Ordering::SeqCst));
    meter
        .f64_observable_counter("cpu.time")
        .with_unit("s")
        .with_callback(move |to| to.observe(1.5 * turn(), &[KeyValue::new("cpu.mode", "user")]))
        .build();
    meter
        .i64_observable_up_down_counter("pool.used")
        .with_callback(|to| to.observe(10 - i64::from(TURN.load(Ordering::SeqCst)), &[]))
        .build();
    meter
        .f64_observable_gauge("cpu.utilization")
        .with_unit("1")
        .with_callback(move |to| to.observe(0.25 * turn(), &[]))
        .build();
}

/// Sends everything again, as after a lost answer.
struct Twice(MetricExporter);

impl PushMetricExporter for Twice {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        self.0.export(metrics).await?;
        self.0.export(metrics).await
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.0.temporality()
    }
}
