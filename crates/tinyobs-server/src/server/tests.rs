use tokio::net::{TcpListener, TcpStream};

use super::*;

#[tokio::test]
async fn i_serve_3_a_fatal_error_ends_the_server() {
    let config = Config::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let store = Store::open(tinyobs_store::StoreOptions::memory()).unwrap();
    let app = App::new(store, config);
    let stop = watch::Sender::new(false);
    let served = tokio::spawn(serve(
        Listeners::new(listener, None),
        app.clone(),
        stop.subscribe(),
    ));
    assert!(app.is_ready());
    app.raise_fatal("fsync of wal/1 failed".to_owned());
    app.raise_fatal("another".to_owned());
    let error = served.await.unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the store failed and the server ended: fsync of wal/1 failed"
    );
    assert!(!app.is_ready());
    assert!(TcpStream::connect(addr).await.is_err());
}
