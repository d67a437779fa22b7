//! Families: what one target of the fleet exposes.

/// Metrics of one name, or one histogram for each combination of labels.
pub struct Family {
    pub name: &'static str,
    pub flow: Flow,
    pub labels: &'static [(&'static str, &'static [&'static str])],
}

/// How the values of a family go on.
#[derive(Clone, Copy)]
pub enum Flow {
    /// A gauge that never changes.
    Constant(f64),
    /// A counter of what does not happen.
    Idle,
    /// A counter by so many a step.
    Counts(f64),
    /// A counter by so much a step, in so many parts of one: 100 is two decimals.
    Adds(f64, f64),
    /// A gauge between two bounds, in so many parts of one.
    Wanders(f64, f64, f64),
    /// A gauge between two bounds, of which every bit of the mantissa matters.
    Noise(f64, f64),
    /// Buckets, sum and count of so many observations a step.
    Histogram(f64),
}

/// Upper bounds of the buckets.
pub const BOUNDS: [(&str, f64); 12] = [
    ("0.005", 0.005),
    ("0.01", 0.01),
    ("0.025", 0.025),
    ("0.05", 0.05),
    ("0.1", 0.1),
    ("0.25", 0.25),
    ("0.5", 0.5),
    ("1", 1.0),
    ("2.5", 2.5),
    ("5", 5.0),
    ("10", 10.0),
    ("+Inf", f64::INFINITY),
];

const ROUTES: &[&str] = &[
    "/",
    "/api/baskets",
    "/api/baskets/{id}/items",
    "/api/orders",
    "/api/orders/{id}",
    "/api/search",
    "/assets/{file}",
    "/login",
    "/readyz",
    "/metrics",
];
const METHODS: &[&str] = &["GET", "POST"];
const STATUSES: &[&str] = &["200", "400", "404", "500"];
const CPUS: &[&str] = &["0", "1", "2", "3", "4", "5", "6", "7"];
const DEVICES: &[&str] = &["ens5", "ens6", "lo"];
const DISKS: &[&str] = &["nvme0n1", "nvme1n1", "sdb"];
const MOUNTS: &[&str] = &["/", "/boot/efi", "/srv", "/tmp", "/var/lib/postgresql"];
const SENSORS: &[&str] = &["cpu", "board", "nvme0", "nvme1", "inlet"];
const ROOMS: &[&str] = &["attic", "cellar", "hall", "office", "store"];
const CACHES: &[&str] = &["basket", "price", "session", "thumbnail", "user"];
const FLAGS: &[&str] = &[
    "express_checkout",
    "gift_cards",
    "guest_orders",
    "new_search",
    "one_page",
    "pay_later",
    "pickup",
    "price_alerts",
    "quick_view",
    "ratings",
    "reorder",
    "returns_v2",
    "saved_baskets",
    "split_orders",
    "stock_hints",
    "two_factor",
    "wish_lists",
    "zoom",
];

const fn family(
    name: &'static str,
    flow: Flow,
    labels: &'static [(&'static str, &'static [&'static str])],
) -> Family {
    Family { name, flow, labels }
}

use Flow::{Adds, Constant, Counts, Histogram, Idle, Noise, Wanders};

/// All of them.
pub const FAMILIES: &[Family] = &[
    // An HTTP application.
    family(
        "http_requests_total",
        Counts(12.0),
        &[("route", ROUTES), ("method", METHODS), ("status", STATUSES)],
    ),
    family(
        "http_request_duration_seconds",
        Histogram(35.0),
        &[("route", ROUTES)],
    ),
    family(
        "http_requests_in_flight",
        Wanders(0.0, 40.0, 1.0),
        &[("route", ROUTES)],
    ),
    family(
        "http_response_bytes_total",
        Counts(48_000.0),
        &[("route", ROUTES)],
    ),
    family(
        "http_request_duration_smoothed_seconds",
        Noise(0.002, 0.6),
        &[("route", ROUTES)],
    ),
    // A machine.
    family(
        "node_cpu_seconds_total",
        Adds(2.5, 100.0),
        &[
            ("cpu", CPUS),
            ("mode", &["idle", "iowait", "softirq", "system", "user"]),
        ],
    ),
    family(
        "node_cpu_seconds_total",
        Idle,
        &[("cpu", CPUS), ("mode", &["irq", "nice", "steal"])],
    ),
    family(
        "node_memory_MemTotal_bytes",
        Constant(33_554_432_000.0),
        &[],
    ),
    family("node_memory_MemAvailable_bytes", PAGES, &[]),
    family("node_memory_MemFree_bytes", PAGES, &[]),
    family("node_memory_Cached_bytes", PAGES, &[]),
    family("node_memory_Buffers_bytes", PAGES, &[]),
    family("node_memory_Active_bytes", PAGES, &[]),
    family("node_memory_AnonPages_bytes", PAGES, &[]),
    family("node_memory_Slab_bytes", PAGES, &[]),
    family("node_memory_SwapFree_bytes", PAGES, &[]),
    family(
        "node_filesystem_avail_bytes",
        PAGES,
        &[("mountpoint", MOUNTS)],
    ),
    family(
        "node_filesystem_files_free",
        Wanders(1e6, 4e7, 1.0),
        &[("mountpoint", MOUNTS)],
    ),
    family(
        "node_filesystem_size_bytes",
        Constant(214_748_364_800.0),
        &[("mountpoint", MOUNTS)],
    ),
    family(
        "node_network_receive_bytes_total",
        Counts(800_000.0),
        &[("device", DEVICES)],
    ),
    family(
        "node_network_transmit_bytes_total",
        Counts(600_000.0),
        &[("device", DEVICES)],
    ),
    family(
        "node_network_receive_packets_total",
        Counts(1_400.0),
        &[("device", DEVICES)],
    ),
    family(
        "node_network_transmit_packets_total",
        Counts(1_200.0),
        &[("device", DEVICES)],
    ),
    family(
        "node_network_receive_errs_total",
        Idle,
        &[("device", DEVICES)],
    ),
    family(
        "node_network_transmit_errs_total",
        Idle,
        &[("device", DEVICES)],
    ),
    family(
        "node_network_receive_drop_total",
        Idle,
        &[("device", DEVICES)],
    ),
    family(
        "node_network_transmit_drop_total",
        Idle,
        &[("device", DEVICES)],
    ),
    family(
        "node_disk_reads_completed_total",
        Counts(25.0),
        &[("device", DISKS)],
    ),
    family(
        "node_disk_writes_completed_total",
        Counts(180.0),
        &[("device", DISKS)],
    ),
    family(
        "node_disk_written_bytes_total",
        Counts(2_500_000.0),
        &[("device", DISKS)],
    ),
    family(
        "node_disk_io_time_seconds_total",
        Adds(0.7, 1_000.0),
        &[("device", DISKS)],
    ),
    family("node_load1", Wanders(0.0, 9.0, 100.0), &[]),
    family("node_load5", Wanders(0.0, 8.0, 100.0), &[]),
    family("node_load15", Wanders(0.0, 7.0, 100.0), &[]),
    family(
        "node_hwmon_temp_celsius",
        Wanders(28.0, 82.0, 1_000.0),
        &[("sensor", SENSORS)],
    ),
    family(
        "node_hwmon_fan_rpm",
        Wanders(700.0, 4_200.0, 1.0),
        &[("sensor", SENSORS)],
    ),
    // A language's runtime.
    family("process_cpu_seconds_total", Adds(1.8, 100.0), &[]),
    family("process_resident_memory_bytes", PAGES, &[]),
    family("process_open_fds", Wanders(12.0, 700.0, 1.0), &[]),
    family("process_max_fds", Constant(1_048_576.0), &[]),
    family(
        "process_start_time_seconds",
        Constant(1_790_000_321.25),
        &[],
    ),
    family(
        "runtime_info",
        Constant(1.0),
        &[("version", &["3.14.1"]), ("build", &["7c0ffee1"])],
    ),
    family("runtime_threads", Wanders(6.0, 64.0, 1.0), &[]),
    family(
        "runtime_heap_bytes",
        PAGES,
        &[("state", &["idle", "used", "released"])],
    ),
    family("runtime_allocated_bytes_total", Counts(70_000_000.0), &[]),
    family(
        "runtime_pause_seconds",
        Noise(2e-5, 6e-3),
        &[("quantile", &["0", "0.5", "0.9", "0.99", "1"])],
    ),
    family("up", Constant(1.0), &[]),
    family("scrape_duration_seconds", Noise(0.003, 0.08), &[]),
    family("scrape_samples_scraped", Constant(500.0), &[]),
    // The application's own.
    family(
        "db_connections",
        Wanders(0.0, 50.0, 1.0),
        &[
            ("pool", &["main", "replica", "jobs"]),
            ("state", &["busy", "idle", "waiting"]),
        ],
    ),
    family(
        "queue_messages",
        Wanders(0.0, 4_000.0, 1.0),
        &[(
            "queue",
            &[
                "audit", "images", "index", "invoices", "mail", "prices", "retries", "stock",
            ],
        )],
    ),
    family("cache_hits_total", Counts(260.0), &[("cache", CACHES)]),
    family("cache_misses_total", Counts(18.0), &[("cache", CACHES)]),
    family("cache_hit_ratio", Noise(0.4, 1.0), &[("cache", CACHES)]),
    family(
        "shop_orders_total",
        Counts(0.4),
        &[
            ("country", &["at", "ch", "de", "pl"]),
            ("payment", &["card", "invoice", "transfer"]),
        ],
    ),
    family(
        "shop_revenue_last_hour_euros",
        Wanders(0.0, 60_000.0, 100.0),
        &[
            ("country", &["at", "ch", "de", "pl"]),
            ("payment", &["card", "invoice", "transfer"]),
        ],
    ),
    family(
        "room_temperature_celsius",
        Wanders(16.0, 31.0, 100.0),
        &[("room", ROOMS)],
    ),
    family("worker_busy_ratio", Noise(0.0, 1.0), &[("worker", CPUS)]),
    family(
        "price_list_version",
        Constant(3_141.0),
        &[("shop", &["at", "be", "ch", "de", "lu", "nl", "pl"])],
    ),
    family("feature_enabled", Constant(1.0), &[("feature", FLAGS)]),
];

/// Bytes in whole pages of memory or disk.
const PAGES: Flow = Wanders(0.0, 34e9, 1.0 / 4_096.0);
