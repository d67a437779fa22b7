//! Set: what a dashboard asks of the fleet in [`mix`](crate::bench::ingest::mix).
//!
//! Name, kind and text; the kind is `instant`, at the end of the load, or `range SPAN STEP`, ending
//! there, in seconds.

type Query = (&'static str, &'static str, &'static str);

/// Of six hours.
#[rustfmt::skip] // One line each is the point.
pub const HOURS: &[Query] = &[
    ("one_series_6h", "range 21600 15", "node_memory_MemAvailable_bytes{instance=\"10.0.0.1:9100\"}"),
    ("one_instance_1h", "range 3600 15", "node_cpu_seconds_total{instance=\"10.0.0.1:9100\"}"),
    ("increase_one_series", "instant", "increase(http_requests_total{instance=\"10.0.0.1:9100\",route=\"/login\",method=\"GET\",status=\"200\"}[1h])"),
    ("rate_by_job_1h", "range 3600 15", "sum by (job) (rate(http_requests_total[5m]))"),
    ("error_ratio_1h", "range 3600 15", "sum by (job) (rate(http_requests_total{status=~\"5..\"}[5m])) / sum by (job) (rate(http_requests_total[5m]))"),
    ("p99_by_le_1h", "range 3600 15", "histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))"),
    ("p99_by_route_6h", "range 21600 60", "histogram_quantile(0.99, sum by (route, le) (rate(http_request_duration_seconds_bucket[5m])))"),
    ("regex_1h", "range 3600 30", "sum by (status) (rate(http_requests_total{route=~\"/api/(orders|baskets).*\",method!=\"POST\"}[5m]))"),
    ("cpu_busy_6h", "range 21600 60", "100 * (1 - avg by (instance) (rate(node_cpu_seconds_total{mode=\"idle\"}[5m])))"),
    ("gauge_sum_6h", "range 21600 60", "sum by (zone) (node_memory_MemAvailable_bytes)"),
    ("max_over_time_6h", "range 21600 60", "max by (route) (max_over_time(http_requests_in_flight[10m]))"),
    ("topk", "instant", "topk(10, sum by (route, instance) (rate(http_requests_total[5m])))"),
    ("quantile_over_time_6h", "instant", "quantile_over_time(0.95, http_request_duration_smoothed_seconds{route=\"/login\"}[6h])"),
    ("count_all", "instant", "count({job=~\".+\"})"),
    ("rate_all_6h", "range 21600 60", "sum by (instance) (rate({__name__=~\"http_requests_total|http_request_duration_seconds_bucket\"}[5m]))"),
    ("sum_all_6h", "range 21600 60", "sum by (instance) ({job=~\".+\"})"),
];

/// Of thirty days.
#[rustfmt::skip]
pub const DAYS: &[Query] = &[
    ("one_series_30d", "range 2592000 3600", "node_memory_MemAvailable_bytes{instance=\"10.0.0.1:9100\"}"),
    ("gauge_avg_30d", "range 2592000 3600", "avg by (zone) (avg_over_time(node_memory_MemAvailable_bytes[1h]))"),
    ("max_over_time_30d", "range 2592000 3600", "max by (route) (max_over_time(http_requests_in_flight[1h]))"),
    ("rate_by_job_30d", "range 2592000 3600", "sum by (job) (rate(http_requests_total[1h]))"),
    ("p99_by_le_30d", "range 2592000 21600", "histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[6h])))"),
    ("increase_30d", "instant", "sum by (status) (increase(http_requests_total[30d]))"),
    ("sum_all_30d", "range 2592000 3600", "sum by (instance) ({job=~\".+\"})"),
    ("rate_last_hour", "range 3600 15", "sum by (job) (rate(http_requests_total[5m]))"),
];
