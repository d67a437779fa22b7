use super::*;

#[test]
fn i_expo_5_the_weights_decide() {
    use Format::{OpenMetrics, Text};
    let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                      application/openmetrics-text;version=0.0.1;q=0.4,\
                      text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
                      text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
    for (accept, expected) in [
        (prometheus, OpenMetrics),
        ("", Text),
        ("*/*", Text),
        (
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            Text,
        ),
        ("application/json", Text),
        ("application/openmetrics-text", OpenMetrics),
        ("Application/OpenMetrics-Text; Version=1.0.0", OpenMetrics),
        (
            "application/openmetrics-text; version=\"1.0.0\"; charset=utf-8",
            OpenMetrics,
        ),
        // Versions that we do not write.
        (
            "application/openmetrics-text;version=0.0.1,text/plain;q=0.1",
            Text,
        ),
        ("application/openmetrics-text;version=2.0.0", Text),
        ("application/openmetrics-text;q=0.2, text/plain;q=0.3", Text),
        (
            "application/openmetrics-text;q=0.3, text/plain;q=0.2",
            OpenMetrics,
        ),
        // At equal weight the one that is named more exactly.
        ("application/openmetrics-text, */*", OpenMetrics),
        ("text/plain, */*", Text),
        ("text/*, application/openmetrics-text", OpenMetrics),
        ("text/plain, application/openmetrics-text", Text),
        // A weight of 0 is a no, also where a wider range says yes.
        ("application/openmetrics-text;q=0, */*", Text),
        ("text/plain;q=0, */*;q=0.1", OpenMetrics),
        ("application/openmetrics-text;q=nonsense", Text),
        ("application/openmetrics-text;q=7", OpenMetrics),
        (";;,,=;q=", Text),
    ] {
        assert_eq!(Format::accepted([accept]), expected, "{accept}");
    }
    assert_eq!(
        Format::accepted(["text/plain;q=0.1", "application/openmetrics-text"]),
        OpenMetrics
    );
}
