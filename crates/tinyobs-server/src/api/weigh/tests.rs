use tinyobs_promql::parse;

use super::*;

/// The work of a query where every selector has `series` series.
fn work(text: &str, series: usize, hours: i64) -> u64 {
    let expr = parse(text).unwrap();
    let query = match hours {
        0 => Query::instant(&expr, text, 0),
        hours => Query::range(&expr, text, 0, hours * 3_600_000, 15_000),
    };
    weigh(&query, &|_| series)
}

#[test]
fn what_reads_more_weighs_more() {
    // Ten series: five minutes of look-back are 31 samples, and one value each.
    assert_eq!(work("x", 10, 0), 10 * (31 + 1));
    // 241 steps, 360 + 31 samples.
    assert_eq!(work("x", 10, 1), 10 * (391 + 241));
    assert_eq!(work("x + x", 10, 0), 2 * 320 + 20);
    assert_eq!(work("sum(x)", 10, 0), 320 + 10);
    assert_eq!(work("1", 10, 0), 1);
    // 31 samples read; the window of 31 is worth three of them.
    assert_eq!(work("rate(x[5m])", 1, 0), 31 + 4);
    assert_eq!(
        work("quantile_over_time(0.5, x[5m])", 1, 0),
        1 + 31 + 2 * (4 * 31 + 1)
    );
}

#[test]
fn subqueries_weigh_as_much_as_they_do() {
    let once = work("max_over_time(rate(x[5m])[1h:1m])", 100, 0);
    let often = work("max_over_time(rate(x[5m])[30d:10s])", 100, 0);
    assert!(often > 500 * once, "{often} {once}");
    let nested = "max_over_time(max_over_time(max_over_time(x[1d:1s])[1d:1s])[1d:1s])";
    assert!(work(nested, 1, 0) > 100_000);
}

#[test]
fn a_dashboard_is_light_and_a_query_of_death_is_not() {
    use tinyobs_model::limits::LIGHT_QUERY_WORK;
    let light = [
        ("up", 50, 6),
        ("rate(http_requests_total[5m])", 100, 6),
        ("sum by (job) (rate(http_requests_total[5m]))", 200, 3),
        (
            "histogram_quantile(0.99, sum by (le) (rate(x_bucket[5m])))",
            200,
            1,
        ),
        ("x", 10_000, 0),
    ];
    for (text, series, hours) in light {
        let work = work(text, series, hours);
        assert!(work <= LIGHT_QUERY_WORK, "{text}: {work}");
    }
    let heavy = [
        ("{__name__=~\".+\"}", 10_000, 1),
        ("rate(x[5m])", 10_000, 6),
        ("quantile_over_time(0.5, x[1d])", 100, 6),
        ("max_over_time(x[1y])", 1_000, 0),
        ("max_over_time(rate(x[5m])[30d:1s])", 10, 0),
        (
            "sum_over_time(max_over_time(vector(time())[1h:1s])[200h:1s])",
            0,
            0,
        ),
    ];
    for (text, series, hours) in heavy {
        let work = work(text, series, hours);
        assert!(work > LIGHT_QUERY_WORK, "{text}: {work}");
    }
}

#[test]
fn i_weigh_1_numbers_saturate() {
    let text = "quantile_over_time(0.5, x[100y:1ms])";
    let expr = parse(text).unwrap();
    let query = Query::range(&expr, text, -(1 << 53), 1 << 53, 1);
    assert_eq!(weigh(&query, &|_| usize::MAX), u64::MAX);
}
