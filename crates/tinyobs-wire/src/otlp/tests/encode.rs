//! Encode: a request in OTLP's JSON as protobuf, so that tests write each request once.

use serde_json::Value;

/// Field of a message: its name in JSON, its number, its type.
type Field = (&'static str, u64, &'static str);

const POINT: &[Field] = &[
    ("startTimeUnixNano", 2, "fixed64"),
    ("timeUnixNano", 3, "fixed64"),
];

fn schema(message: &str) -> &'static [Field] {
    match message {
        "Request" => &[("resourceMetrics", 1, "ResourceMetrics")],
        "ResourceMetrics" => &[
            ("resource", 1, "Attributes"),
            ("scopeMetrics", 2, "ScopeMetrics"),
        ],
        "Attributes" => &[("attributes", 1, "KeyValue")],
        "ScopeMetrics" => &[("scope", 1, "Scope"), ("metrics", 2, "Metric")],
        "Scope" => &[("name", 1, "string"), ("version", 2, "string")],
        "Metric" => &[
            ("name", 1, "string"),
            ("description", 2, "string"),
            ("unit", 3, "string"),
            ("gauge", 5, "Numbers"),
            ("sum", 7, "Numbers"),
            ("histogram", 9, "Histograms"),
            ("exponentialHistogram", 10, "Exponentials"),
            ("summary", 11, "Summaries"),
        ],
        "Numbers" => &[
            ("dataPoints", 1, "Number"),
            ("aggregationTemporality", 2, "varint"),
            ("isMonotonic", 3, "varint"),
        ],
        "Histograms" => &[
            ("dataPoints", 1, "Histogram"),
            ("aggregationTemporality", 2, "varint"),
        ],
        "Exponentials" => &[
            ("dataPoints", 1, "Exponential"),
            ("aggregationTemporality", 2, "varint"),
        ],
        "Summaries" => &[("dataPoints", 1, "Summary")],
        "Number" => &[
            ("attributes", 7, "KeyValue"),
            ("asDouble", 4, "double"),
            ("asInt", 6, "fixed64"),
            ("exemplars", 5, "Exemplar"),
            ("flags", 8, "varint"),
        ],
        "Histogram" => &[
            ("attributes", 9, "KeyValue"),
            ("count", 4, "fixed64"),
            ("sum", 5, "double"),
            ("bucketCounts", 6, "packed fixed64"),
            ("explicitBounds", 7, "packed double"),
            ("exemplars", 8, "Exemplar"),
            ("flags", 10, "varint"),
            ("min", 11, "double"),
            ("max", 12, "double"),
        ],
        "Exponential" => &[
            ("attributes", 1, "KeyValue"),
            ("count", 4, "fixed64"),
            ("sum", 5, "double"),
            ("scale", 6, "zigzag"),
            ("zeroCount", 7, "fixed64"),
            ("positive", 8, "Buckets"),
            ("negative", 9, "Buckets"),
            ("flags", 10, "varint"),
            ("zeroThreshold", 14, "double"),
        ],
        "Buckets" => &[
            ("offset", 1, "zigzag"),
            ("bucketCounts", 2, "packed varint"),
        ],
        "Summary" => &[
            ("attributes", 7, "KeyValue"),
            ("count", 4, "fixed64"),
            ("sum", 5, "double"),
            ("quantileValues", 6, "Quantile"),
            ("flags", 8, "varint"),
        ],
        "Quantile" => &[("quantile", 1, "double"), ("value", 2, "double")],
        "KeyValue" => &[("key", 1, "string"), ("value", 2, "Any")],
        "Any" => &[
            ("stringValue", 1, "string"),
            ("boolValue", 2, "varint"),
            ("intValue", 3, "varint"),
            ("doubleValue", 4, "double"),
            ("arrayValue", 5, "List"),
            ("kvlistValue", 6, "Map"),
        ],
        "List" => &[("values", 1, "Any")],
        "Map" => &[("values", 1, "KeyValue")],
        "Exemplar" => &[("timeUnixNano", 2, "fixed64"), ("asDouble", 3, "double")],
        other => panic!("{other} has no schema"),
    }
}

/// The request as protobuf. Fields stand as they do in the JSON, so their order is not by number.
pub fn protobuf(request: &Value) -> Vec<u8> {
    message("Request", request)
}

fn message(name: &str, json: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    for (key, value) in json.as_object().unwrap() {
        let own = schema(name).iter();
        let found = own.chain(POINT).find(|(known, ..)| known == key);
        // What no schema knows is ignored in JSON, and cannot be said in protobuf.
        let Some((_, number, kind)) = found else {
            continue;
        };
        if let Some(kind) = kind.strip_prefix("packed ") {
            let list = value.as_array().unwrap();
            let packed: Vec<u8> = list.iter().flat_map(|one| scalar(kind, one).1).collect();
            put(&mut out, *number, (2, prefixed(&packed)));
            continue;
        }
        for one in value.as_array().unwrap_or(&vec![value.clone()]) {
            put(&mut out, *number, scalar(kind, one));
        }
    }
    out
}

fn put(out: &mut Vec<u8>, number: u64, (wire, bytes): (u64, Vec<u8>)) {
    out.extend(varint(number << 3 | wire));
    out.extend(bytes);
}

fn scalar(kind: &str, json: &Value) -> (u64, Vec<u8>) {
    match kind {
        "string" => (2, prefixed(json.as_str().unwrap().as_bytes())),
        "fixed64" => (1, whole(json).to_le_bytes().to_vec()),
        "varint" => (0, varint(whole(json))),
        "zigzag" => {
            let number = whole(json) as i64;
            (0, varint((number << 1 ^ number >> 63) as u64))
        }
        "double" => (1, double(json).to_le_bytes().to_vec()),
        name => (2, prefixed(&message(name, json))),
    }
}

fn double(json: &Value) -> f64 {
    match json.as_str() {
        Some("NaN") => f64::NAN,
        Some(text) => text.parse().unwrap(),
        None => json.as_f64().unwrap(),
    }
}

fn whole(json: &Value) -> u64 {
    match json {
        Value::Bool(yes) => u64::from(*yes),
        Value::String(text) if text.ends_with("DELTA") => 1,
        Value::String(text) if text.ends_with("CUMULATIVE") => 2,
        Value::String(text) => text.parse::<i128>().unwrap() as u64,
        number => number
            .as_i64()
            .map_or_else(|| number.as_u64().unwrap(), |n| n as u64),
    }
}

fn prefixed(bytes: &[u8]) -> Vec<u8> {
    [varint(bytes.len() as u64), bytes.to_vec()].concat()
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
    out
}
