use serde_json::json;

use super::share;

#[test]
fn points_are_compared_one_by_one() {
    let a = json!([
        {"metric": {"__name__": "x", "a": "1"}, "values": [[1, "1"], [2, "2"], [3.5, "NaN"]]},
        {"metric": {"a": "2"}, "values": [[1, "5"]]},
    ]);
    let b = json!([
        {"metric": {"a": "1"}, "values": [[1, "1.0000001"], [2, "2.1"], [3.5, "NaN"]]},
    ]);
    assert!((share(&a, &a) - 1.0).abs() < f64::EPSILON);
    // Two of four: one value differs, one is missing.
    assert!((share(&a, &b) - 0.5).abs() < f64::EPSILON);
    assert!((share(&b, &a) - 0.5).abs() < f64::EPSILON);
    assert!((share(&json!([]), &json!([])) - 1.0).abs() < f64::EPSILON);
}

#[test]
fn instants_are_points_too() {
    let a = json!([{"metric": {}, "value": [1, "7"]}]);
    let b = json!([{"metric": {}, "value": [1, "8"]}]);
    assert!((share(&a, &a) - 1.0).abs() < f64::EPSILON);
    assert!(share(&a, &b).abs() < f64::EPSILON);
}
