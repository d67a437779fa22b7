//! Explain: what a query took, in words.
//!
//!   `stats` of the answer ─▶ a few lines

use serde_json::Value;

/// The lines.
pub fn text(stats: &Value) -> String {
    let timing = |name: &str| stats["timings"][name].as_f64().unwrap_or(0.0) * 1_000.0;
    let own = &stats["tinyobs"];
    let count = |value: &Value| value.as_u64().unwrap_or(0);
    let lane = match own["heavy"].as_bool() {
        Some(true) => ", among heavy queries",
        _ => "",
    };
    format!(
        "waited     {:.1} ms{lane}\nread       {:.1} ms\nevaluated  {:.1} ms\n\
         series     {}\nsamples    {}\nheld       {} bytes at most\n",
        timing("execQueueTime"),
        timing("queryPreparationTime"),
        timing("innerEvalTime"),
        count(&own["series"]),
        count(&stats["samples"]["totalQueryableSamples"]),
        count(&own["bytesMax"]),
    )
}
