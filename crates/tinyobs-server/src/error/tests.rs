use std::io;
use std::path::PathBuf;

use super::*;

fn answer(error: StoreError) -> (u16, Option<String>, String) {
    let error = ApiError::from(error);
    let message = error.message.clone();
    let response = error.into_response();
    let retry = response.headers().get(header::RETRY_AFTER);
    let retry = retry.map(|value| value.to_str().unwrap().to_owned());
    (response.status().as_u16(), retry, message)
}

#[test]
fn a_full_store_is_507_and_says_what_to_do() {
    let full = StoreError::Full {
        path: PathBuf::from("data/wal/0.wal"),
        source: io::ErrorKind::StorageFull.into(),
    };
    assert_eq!(
        answer(full),
        (
            507,
            Some("5".to_owned()),
            "no space left for data/wal/0.wal: no storage space; make room on that device and \
             writing goes on by itself; what was acknowledged is kept"
                .to_owned()
        )
    );
    let backlog = answer(StoreError::Backlog { bytes: 7 });
    assert_eq!((backlog.0, backlog.1.as_deref()), (503, Some("5")));
    assert!(
        backlog
            .2
            .ends_with("nothing of this push was kept, send it again later")
    );
}

#[test]
fn a_store_that_ended_is_503() {
    let closed = answer(StoreError::Closed);
    assert_eq!(
        closed,
        (503, Some("1".to_owned()), "the store is closed".to_owned())
    );
    let reason = "fsync failed".to_owned();
    assert_eq!(answer(StoreError::Fatal { reason }).0, 503);
}
