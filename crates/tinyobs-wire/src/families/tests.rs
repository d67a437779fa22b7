use std::fmt::Write;

use super::*;

fn grouping() -> Vec<(String, String)> {
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    vec![own("job", "backup"), own("path", "/a")]
}

fn page(body: &str) -> Page {
    read_text(body.as_bytes(), Dialect::Prometheus, &grouping()).unwrap()
}

/// Kind, series, value and start of each.
fn rows(page: &Page) -> Vec<String> {
    let of = |family: &Family| {
        let kind = family.kind;
        let row =
            move |one: &Series| format!("{kind} {} {} {:?}", one.labels, one.value, one.start_ms);
        family.series.iter().map(row).collect::<Vec<_>>()
    };
    page.families.iter().flat_map(of).collect()
}

#[test]
fn parts_belong_to_their_family() {
    let page = page(
        "# TYPE d histogram\n# HELP d How long.\nd_bucket{le=\"1\"} 2\nd_bucket{le=\"+Inf\"} 3\nd_sum 4.5\nd_count 3\n\
         # TYPE s summary\ns{quantile=\"0.5\"} 7\ns_sum 8\ns_count 9\n\
         other_count 1\n\
         d_sum_more 1\n",
    );
    assert_eq!(
        rows(&page),
        [
            "histogram d_bucket{job=\"backup\",le=\"1\",path=\"/a\"} 2 None",
            "histogram d_bucket{job=\"backup\",le=\"+Inf\",path=\"/a\"} 3 None",
            "histogram d_sum{job=\"backup\",path=\"/a\"} 4.5 None",
            "histogram d_count{job=\"backup\",path=\"/a\"} 3 None",
            "summary s{job=\"backup\",path=\"/a\",quantile=\"0.5\"} 7 None",
            "summary s_sum{job=\"backup\",path=\"/a\"} 8 None",
            "summary s_count{job=\"backup\",path=\"/a\"} 9 None",
            "unknown other_count{job=\"backup\",path=\"/a\"} 1 None",
            "unknown d_sum_more{job=\"backup\",path=\"/a\"} 1 None",
        ]
    );
    assert_eq!(page.families[0].name, "d");
    assert_eq!(page.families[0].help, "How long.");
    assert_eq!(page.families.len(), 4);
}

#[test]
fn i_family_2_the_groups_labels_win() {
    let page = page("a{job=\"mine\",path=\"/b\",x=\"\",y=\"1\"} 1\n");
    assert_eq!(
        rows(&page),
        ["unknown a{job=\"backup\",path=\"/a\",y=\"1\"} 1 None"]
    );
}

#[test]
fn i_family_1_a_series_that_breaks_a_rule_costs_itself() {
    let page = page("a 1\nb{__tinyobs_x=\"1\"} 2\nc{d=\"1\",d=\"2\"} 3\ne 4\n");
    assert_eq!(
        rows(&page),
        [
            "unknown a{job=\"backup\",path=\"/a\"} 1 None",
            "unknown e{job=\"backup\",path=\"/a\"} 4 None",
        ]
    );
    let refused: Vec<_> = page
        .refused
        .iter()
        .map(|one| (one.item, one.rule))
        .collect();
    assert_eq!(
        refused,
        [
            (2, Refusal::LabelNameReserved),
            (3, Refusal::LabelDuplicate)
        ]
    );
    assert!(page.refused[0].message.starts_with("line 2: label name"));
}

#[test]
fn i_family_3_the_same_series_twice_is_refused() {
    let error = read_text(
        b"a{path=\"1\"} 1\na{path=\"2\"} 2\n",
        Dialect::Prometheus,
        &grouping(),
    );
    assert_eq!(
        error.unwrap_err().to_string(),
        "line 2: a{job=\"backup\",path=\"/a\"} is there twice once the group's labels are set"
    );
}

#[test]
fn i_family_5_a_family_has_one_type() {
    let read = |body: &str, dialect| {
        let page = read_text(body.as_bytes(), dialect, &grouping());
        page.map(|_| ()).map_err(|error| error.to_string())
    };
    let twice = |line| {
        let what = "body is not in the text format: a second TYPE line for \"a\"";
        Err(format!("{what} at line {line}, column 1"))
    };
    // Also where it says the same once more, or what it would be without the line.
    let same = "# TYPE a gauge\n# TYPE b gauge\na 1\n# TYPE a gauge\n";
    assert_eq!(read(same, Dialect::Prometheus), twice(4));
    let untyped = "# TYPE a untyped\n# TYPE a untyped\na 1\n";
    assert_eq!(read(untyped, Dialect::Prometheus), twice(2));
    let open = "# TYPE a counter\na_total 1\n# TYPE a gauge\n# EOF\n";
    assert_eq!(read(open, Dialect::OpenMetrics), twice(3));
    let parts = "# TYPE a gauge\n# TYPE a_sum gauge\n# TYPE a_count gauge\na 1\na_sum 2\n";
    assert_eq!(read(parts, Dialect::Prometheus), Ok(()));
}

#[test]
fn a_creation_is_the_start_of_its_counter() {
    let page = read_text(
        b"# TYPE c counter\nc_total{a=\"1\"} 5\nc_total{a=\"2\"} 6\nc_created{a=\"1\"} 1795306562.5\n\
          # TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\nh_created 1795306561\n\
          # TYPE g gauge\ng_created 7\n# EOF\n",
        Dialect::OpenMetrics,
        &[],
    );
    assert_eq!(
        rows(&page.unwrap()),
        [
            "counter c_total{a=\"1\"} 5 Some(1795306562500)",
            "counter c_total{a=\"2\"} 6 None",
            "histogram h_bucket{le=\"+Inf\"} 1 Some(1795306561000)",
            "histogram h_sum{} 1 Some(1795306561000)",
            "histogram h_count{} 1 Some(1795306561000)",
            "unknown g_created{} 7 None",
        ]
    );
    // As Python's library writes it in the older format.
    let page = read_text(
        b"# TYPE c_total counter\nc_total 5\n# TYPE c_created gauge\nc_created 1.795306562e+09\n",
        Dialect::Prometheus,
        &[],
    );
    assert_eq!(
        rows(&page.unwrap()),
        [
            "counter c_total{} 5 Some(1795306562000)",
            "gauge c_created{} 1795306562 None",
        ]
    );
}

#[test]
fn a_line_with_a_time_is_remembered() {
    assert_eq!(page("a 1\nb 2 3\nc 4 5\n").timestamp_line, Some(2));
    assert_eq!(page("a 1\n").timestamp_line, None);
}

#[test]
fn i_family_4_memory_is_bounded() {
    let mut body = String::new();
    let value = "v".repeat(4_000);
    for i in 0..4_100 {
        writeln!(body, "a{{i=\"{i}\",v=\"{value}\"}} 1").unwrap();
    }
    let error = read_text(body.as_bytes(), Dialect::Prometheus, &[]).unwrap_err();
    assert!(
        matches!(error, PageError::TooLarge { line: 3_900..=4_100, limit } if limit == limits::PUSHED_BYTES),
        "{error}"
    );
}

#[test]
fn i_family_4_families_without_series_are_bounded() {
    let mut body = String::new();
    for i in 0..100_000 {
        writeln!(body, "# TYPE f{i} gauge").unwrap();
    }
    let error = read_text(body.as_bytes(), Dialect::Prometheus, &[]).unwrap_err();
    assert!(
        matches!(
            error,
            PageError::TooLarge {
                line: 60_000..70_000,
                ..
            }
        ),
        "{error}"
    );
}
