use axum::http::HeaderMap;
use axum::response::IntoResponse;
use tinyobs_model::Refusal;

use super::*;

fn refused(item: u32, rule: Refusal) -> Refused {
    Refused {
        item,
        rule,
        message: format!("item {item}"),
    }
}

#[test]
fn an_item_is_listed_once() {
    let (limit, bad) = (Refusal::SeriesLimit, Refusal::NameEmpty);
    let once = one_each(vec![refused(3, bad), refused(1, limit), refused(1, limit)]);
    assert_eq!(once, [refused(1, limit), refused(3, bad)]);
}

#[test]
fn i_intake_2_only_what_is_refused_whole_and_for_its_number_waits() {
    let (limit, bad) = (Refusal::SeriesLimit, Refusal::NameEmpty);
    let taken = |stored, refused| Taken {
        items: 2,
        stored,
        refused,
    };
    assert!(taken(0, vec![refused(0, limit), refused(1, limit)]).is_over_limit());
    assert!(!taken(1, vec![refused(0, limit)]).is_over_limit());
    assert!(!taken(0, vec![refused(0, limit), refused(1, bad)]).is_over_limit());
    assert!(!taken(0, Vec::new()).is_over_limit());
}

#[tokio::test]
async fn i_intake_1_a_store_that_does_not_keep_is_not_acknowledged() {
    let store = tinyobs_store::Store::open(tinyobs_store::StoreOptions::memory()).unwrap();
    store.close().unwrap();
    let app = App::new(store, crate::Config::default());
    let body = axum::body::Body::from(r#"{"metrics":[{"name":"m","value":1}]}"#);
    let held = body::read(&app.body_bytes, &HeaderMap::new(), body).await;
    let read = |_: &App, body: Cow<'_, [u8]>, now_ms, _| {
        tinyobs_wire::json::decode(&body, now_ms).map_err(|e| ApiError::bad_request(e.to_string()))
    };
    let Err(error) = super::store(&app, held.unwrap(), read) else {
        panic!("it was acknowledged");
    };
    let response = error.into_response();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(app.counters.stored_total(), 0);
}

#[test]
fn a_spare_batch_holds_no_descriptions() {
    let spare = Spare::default();
    let mut batch = WriteBatch::new();
    batch.describe("m", "seconds", &"long ".repeat(1_000));
    spare.give(batch);
    assert_eq!(spare.lock().len(), 1);
    assert!(spare.take().says_nothing());
}
