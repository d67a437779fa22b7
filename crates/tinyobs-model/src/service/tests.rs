use super::*;

#[test]
fn i_service_1_service_then_service_name_then_job() {
    let of = |pairs: &[(&str, &str)]| {
        let labels = Labels::new("m", pairs.iter().copied()).unwrap();
        labels
            .service()
            .map(|(label, name)| format!("{label}={name}"))
    };
    let all = [("service", "a"), ("service_name", "b"), ("job", "c")];
    assert_eq!(of(&all).as_deref(), Some("service=a"));
    assert_eq!(of(&all[1..]).as_deref(), Some("service_name=b"));
    assert_eq!(of(&all[2..]).as_deref(), Some("job=c"));
    assert_eq!(
        of(&[("service", ""), ("job", "c")]).as_deref(),
        Some("job=c")
    );
    assert_eq!(of(&[("instance", "i")]), None);
}
