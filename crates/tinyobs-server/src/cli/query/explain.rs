//! Explain: what a query took, in words.
//!
//!   `stats` of the answer ─▶ a few lines, one for each resolution and one for each part of the query

use std::fmt::Write;

use serde_json::Value;
use tinyobs_wire::time;

/// The lines.
pub fn text(stats: &Value) -> String {
    let timing = |name: &str| stats["timings"][name].as_f64().unwrap_or(0.0) * 1_000.0;
    let own = &stats["tinyobs"];
    let count = |value: &Value| value.as_u64().unwrap_or(0);
    let lane = match own["heavy"].as_bool() {
        Some(true) => ", among heavy queries",
        _ => "",
    };
    let mut text = format!(
        "waited     {:.1} ms{lane}\nread       {:.1} ms\nevaluated  {:.1} ms\n\
         series     {}\nsamples    {}\nheld       {} bytes at most\nstored     {} bytes\n",
        timing("execQueueTime"),
        timing("queryPreparationTime"),
        timing("innerEvalTime"),
        count(&own["series"]),
        count(&stats["samples"]["totalQueryableSamples"]),
        count(&own["bytesMax"]),
        count(&own["bytesRead"]),
    );
    for read in own["resolutions"].as_array().into_iter().flatten() {
        let moment = |name: &str| {
            let seconds = read[name].as_f64().unwrap_or_default();
            time::format_rfc3339((seconds * 1_000.0) as i64)
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:10} {} from {} to {}",
            read["resolution"].as_str().unwrap_or_default(),
            count(&read["count"]),
            moment("from"),
            moment("to"),
        );
    }
    parts(&mut text, own);
    text
}

/// A line for each part of the query, further in the further inside it is.
fn parts(text: &mut String, own: &Value) {
    let count = |value: &Value| value.as_u64().unwrap_or(0);
    for node in own["nodes"].as_array().into_iter().flatten() {
        let _ = writeln!(
            text,
            "{:10.3} ms {:7} series {:9} samples  {:indent$}{}",
            node["seconds"].as_f64().unwrap_or_default() * 1_000.0,
            count(&node["series"]),
            count(&node["samples"]),
            "",
            node["text"].as_str().unwrap_or_default(),
            indent = 2 * count(&node["depth"]) as usize,
        );
    }
}
