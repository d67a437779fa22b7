use super::Payload;
use crate::bench::ingest::body::Protocol;
use crate::bench::ingest::mix::Mix;

#[test]
fn every_sample_is_in_one_request_and_targets_stay_on_their_connection() {
    let dir = tempfile::tempdir().unwrap();
    let mix = Mix::new(7_300, 5, 1_800_000_000_000);
    let payload = Payload::build(Protocol::Json, &mix, dir.path()).unwrap();
    assert_eq!((payload.samples(), mix.samples()), (36_500, 36_500));
    let mut all = std::collections::BTreeSet::new();
    for connection in &payload.connections {
        let mut seen = std::collections::BTreeMap::<String, i64>::new();
        let mut step = 0;
        let mut body = vec![1, 2, 3];
        for request in &connection.requests {
            assert!(request.step >= step && (1..=5_000).contains(&request.samples));
            step = request.step;
            connection.read(request, &mut body).unwrap();
            let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
            let metrics = json["metrics"].as_array().unwrap();
            assert_eq!(metrics.len(), request.samples as usize);
            for metric in metrics {
                let series = format!("{}{}", metric["name"], metric["labels"]);
                let time = metric["timestamp"].as_i64().unwrap();
                let before = seen.insert(series, time);
                assert!(before.is_none_or(|before| before < time), "out of order");
            }
        }
        let of_it = mix.samples() / u64::from(mix.steps);
        assert!(seen.len() as u64 > of_it / 3, "both connections send");
        let count: u32 = connection
            .requests
            .iter()
            .map(|request| request.samples)
            .sum();
        assert_eq!(count as usize, seen.len() * 5);
        for series in seen.into_keys() {
            assert!(all.insert(series), "a series on two connections");
        }
    }
    assert_eq!(all.len(), 7_300);
}
