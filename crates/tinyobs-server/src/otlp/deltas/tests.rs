use tinyobs_model::{Kind, LabelsBuilder, WriteBatch};

use super::*;
use crate::Config;

fn app() -> App {
    let store = Store::open(tinyobs_store::StoreOptions::memory()).unwrap();
    App::new(store, Config::default())
}

fn put(app: &App, pairs: &[(&str, &str)]) {
    let mut batch = WriteBatch::new();
    let mut builder = LabelsBuilder::new();
    builder.begin("h_bucket");
    for (name, value) in pairs {
        builder.push(name, value);
    }
    let sample = Sample::new(app.now_ms(), 1.0);
    batch
        .push(0, &mut builder, Kind::Histogram, sample, None)
        .unwrap();
    assert_eq!(app.store.append(&batch).unwrap().refused, []);
}

fn key(pairs: &[(&str, &str)]) -> Vec<u8> {
    let labels = Labels::new("h_bucket", pairs.iter().copied()).unwrap();
    labels.as_bytes().to_vec()
}

#[test]
fn i_add_2_bounds_are_those_of_the_very_histogram() {
    let app = app();
    put(&app, &[("le", "1"), ("k", "a")]);
    put(&app, &[("le", "2"), ("k", "a")]);
    put(&app, &[("le", "4"), ("k", "b")]);
    put(&app, &[("le", "8"), ("k", "a"), ("more", "x")]);
    put(&app, &[("k", "a")]);
    let bounds = |app: &App| {
        let mut bounds = Adding::new(app).bounds(&key(&[("k", "a")])).unwrap();
        bounds.sort_by(f64::total_cmp);
        bounds
    };
    assert_eq!(bounds(&app), [1.0, 2.0]);
    // Remembered, until the metric has another series.
    assert_eq!(bounds(&app), [1.0, 2.0]);
    put(&app, &[("le", "16"), ("k", "a")]);
    assert_eq!(bounds(&app), [1.0, 2.0, 16.0]);
    assert_eq!(app.deltas.0.blocking_lock().len(), 1);
}

#[test]
fn i_add_2_not_all_histograms_are_remembered() {
    let app = app();
    let mut adding = Adding::new(&app);
    for i in 0..=limits::DELTA_HISTOGRAMS {
        adding.bounds(&key(&[("k", &i.to_string())])).unwrap();
    }
    drop(adding);
    assert_eq!(app.deltas.0.blocking_lock().len(), 1);
}

#[test]
fn i_add_1_who_adds_is_alone() {
    let app = app();
    let mut first = Adding::new(&app);
    assert!(app.deltas.0.try_lock().is_ok(), "nobody has added yet");
    first.newest(&key(&[])).unwrap();
    assert!(app.deltas.0.try_lock().is_err());
    let other = app.clone();
    let second = std::thread::spawn(move || Adding::new(&other).newest(&key(&[])).unwrap());
    std::thread::sleep(std::time::Duration::from_millis(50));
    assert!(!second.is_finished());
    drop(first);
    assert_eq!(second.join().unwrap(), None);
}
