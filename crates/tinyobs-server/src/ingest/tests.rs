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

fn status(items: u32, count: u64, refused: Vec<Refused>) -> StatusCode {
    match answer(items, count, refused) {
        Ok(_) => StatusCode::OK,
        Err(error) => error.into_response().status(),
    }
}

#[test]
fn i_ingest_1_the_status_follows_what_was_stored() {
    let (limit, bad) = (Refusal::SeriesLimit, Refusal::NameEmpty);
    assert_eq!(status(0, 0, vec![]), StatusCode::OK);
    assert_eq!(status(2, 1, vec![refused(1, bad)]), StatusCode::OK);
    assert_eq!(status(1, 0, vec![refused(0, bad)]), StatusCode::BAD_REQUEST);
    assert_eq!(
        status(1, 0, vec![refused(0, limit)]),
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(
        status(2, 0, vec![refused(0, limit), refused(1, bad)]),
        StatusCode::BAD_REQUEST
    );
}

#[test]
fn an_item_is_listed_once_and_the_list_is_short() {
    let (limit, bad) = (Refusal::SeriesLimit, Refusal::NameEmpty);
    let once = one_each(vec![refused(3, bad), refused(1, limit), refused(1, limit)]);
    assert_eq!(once, [refused(1, limit), refused(3, bad)]);
    let many: Vec<Refused> = (0..500).map(|item| refused(item, bad)).collect();
    let stored = answer(501, 1, many).unwrap();
    assert_eq!((stored.refused, stored.errors.len()), (500, 100));
}

#[tokio::test]
async fn i_ingest_3_a_store_that_does_not_keep_is_not_acknowledged() {
    let store = tinyobs_store::Store::open(tinyobs_store::StoreOptions::memory()).unwrap();
    store.close().unwrap();
    let app = App::new(store, crate::Config::default());
    let body = axum::body::Body::from(r#"{"metrics":[{"name":"m","value":1}]}"#);
    let held = body::read(&app.body_bytes, &HeaderMap::new(), body).await;
    let Err(error) = super::store(&app, held.unwrap()) else {
        panic!("it was acknowledged");
    };
    let response = error.into_response();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(app.counters.stored_total(), 0);
}
