use super::*;

fn measured(rate: f64, disk_bytes: Option<f64>) -> Measured {
    Measured {
        until_idle: rate,
        until_stopped: rate / 2.0,
        peak_bytes: 50e6,
        disk_bytes,
        repeated: 0.0,
        others: 0.07,
    }
}

fn report(protocol: Protocol, rates: &[(Target, &[f64])]) -> Report {
    let rounds = rates.iter().map(|(target, rates)| {
        let disk = (*target != Target::Null).then_some(1.5);
        let rounds = rates.iter().map(|rate| measured(*rate, disk)).collect();
        (*target, rounds)
    });
    Report {
        series: 10_000,
        steps: 480,
        protocol,
        rounds: rounds.collect(),
    }
}

#[test]
fn figures_stand_side_by_side() {
    let rates: [(Target, &[f64]); 3] = [
        (Target::TinyObs, &[1.0e6, 3.0e6, 2.0e6]),
        (Target::VictoriaMetrics, &[0.5e6, 1.0e6, 1.0e6]),
        (Target::Null, &[8e6, 8e6, 8e6]),
    ];
    let text = report(Protocol::RemoteWrite, &rates).text();
    for line in [
        "remote write, 10000 series × 480 steps, median of 3 rounds:",
        "| TinyObs | 2.000 M | 1.000 M | 50 | 1.50 | 0 | 7 % |",
        "| VictoriaMetrics | 1.000 M | 0.500 M | 50 | 1.50 | 0 | 7 % |",
        "| null server | 8.000 M | 4.000 M | 50 | – | 0 | 7 % |",
        "TinyObs / VictoriaMetrics = 2.00 until idle, 2.00 until stopped (remote write, 10000 series)",
        "TinyObs / null server = 0.25 until idle, 0.25 until stopped (remote write, 10000 series)",
    ] {
        assert!(text.lines().any(|said| said == line), "{line}\n{text}");
    }
    assert!(!text.contains("TinyObs / Prometheus"), "{text}");
}

#[test]
fn a_figure_below_its_floor_is_named() {
    let remote_write = |ours| {
        let rates: [(Target, &[f64]); 2] = [
            (Target::TinyObs, &[ours]),
            (Target::VictoriaMetrics, &[1e6]),
        ];
        report(Protocol::RemoteWrite, &rates).shortcomings()
    };
    assert_eq!(remote_write(2e6), Vec::<String>::new());
    let said = "remote write, 10000 series: 1.99 times VictoriaMetrics, the floor is 2";
    assert_eq!(remote_write(1.99e6), [said]);
    let json = |ours| report(Protocol::Json, &[(Target::TinyObs, &[ours])]).shortcomings();
    assert_eq!(json(540_000.0), Vec::<String>::new());
    let said = "JSON, 10000 series: 539999 samples per CPU-second, the floor is 540000";
    assert_eq!(json(539_999.0), [said]);
}

#[test]
fn what_was_not_measured_has_not_passed() {
    let alone = report(Protocol::RemoteWrite, &[(Target::TinyObs, &[9e6])]);
    let said = "remote write, 10000 series: measure TinyObs and VictoriaMetrics to check it";
    assert_eq!(alone.shortcomings(), [said]);
    assert_eq!(report(Protocol::Json, &[]).shortcomings().len(), 1);
}

#[test]
fn the_median_of_an_even_number_lies_between() {
    assert_eq!(median([4.0, 1.0, 2.0, 9.0].into_iter()), Some(3.0));
    assert_eq!(median([7.0].into_iter()), Some(7.0));
    assert_eq!(median(std::iter::empty()), None);
}
