use axum::response::IntoResponse;
use tinyobs_model::{Refusal, Refused};

use super::*;

fn refused(item: u32, rule: Refusal) -> Refused {
    Refused {
        item,
        rule,
        message: format!("item {item}"),
    }
}

fn taken(items: u32, stored: u64, refused: Vec<Refused>) -> Taken {
    Taken {
        items,
        stored,
        refused,
    }
}

fn status(items: u32, count: u64, refused: Vec<Refused>) -> StatusCode {
    match answer(taken(items, count, refused)) {
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
fn the_list_of_errors_is_short() {
    let many: Vec<Refused> = (0..500)
        .map(|item| refused(item, Refusal::NameEmpty))
        .collect();
    let stored = answer(taken(501, 1, many)).unwrap();
    assert_eq!((stored.refused, stored.errors.len()), (500, 100));
}
