use tokio::runtime::Runtime;

use super::*;

fn pieces(runtime: &Runtime) -> (Pieces, Channel<Bytes, io::Error>) {
    let (sender, body) = Channel::new(PIECES);
    let runtime = runtime.handle().clone();
    (Pieces { sender, runtime }, body)
}

#[test]
fn i_stream_1_what_is_broken_off_ends_in_an_error() {
    let runtime = Runtime::new().unwrap();
    let (mut out, body) = pieces(&runtime);
    out.write_all(b"half").unwrap();
    out.sender.abort(io::Error::other("a table cannot be read"));
    let collected = runtime.block_on(body.collect());
    assert_eq!(collected.unwrap_err().to_string(), "a table cannot be read");
}

#[test]
fn i_stream_2_a_reader_that_leaves_ends_it() {
    let runtime = Runtime::new().unwrap();
    let (mut out, body) = pieces(&runtime);
    // As far as there is room nobody needs to read.
    for _ in 0..PIECES {
        out.write_all(b"piece").unwrap();
    }
    drop(body);
    let error = out.write_all(b"one more").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
}

#[test]
fn i_stream_3_nothing_is_broken_off_before_it_was_read() {
    let runtime = Runtime::new().unwrap();
    let (mut out, mut body) = pieces(&runtime);
    for _ in 0..PIECES {
        out.write_all(b"piece").unwrap();
    }
    let delivered = runtime.spawn_blocking(move || {
        deliver(&mut out.sender);
        Instant::now()
    });
    let read = runtime.block_on(async {
        for _ in 0..PIECES {
            tokio::time::sleep(LAST_WORDS / 2).await;
            assert!(!delivered.is_finished());
            assert!(body.frame().await.unwrap().is_ok());
        }
        Instant::now()
    });
    let delivered = runtime.block_on(delivered).unwrap();
    // As long again as the pieces took.
    assert!(delivered - read > LAST_WORDS, "{:?}", delivered - read);
    // Nobody is waited for who has left.
    let (mut out, body) = pieces(&runtime);
    out.write_all(b"piece").unwrap();
    drop(body);
    let begun = Instant::now();
    deliver(&mut out.sender);
    assert!(begun.elapsed() < IDLE / 2);
}

#[test]
fn i_stream_3_the_last_words_reach_a_slow_reader_through_the_connection() {
    use axum::Router;
    use axum::routing::get;
    use hyper::server::conn::http1;
    use hyper_util::rt::TokioIo;
    use hyper_util::service::TowerToHyperService;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let runtime = Runtime::new().unwrap();
    let handler = || async {
        let places = std::sync::Arc::new(tokio::sync::Semaphore::new(1));
        let place = places.try_acquire_owned().unwrap();
        answer(place, "an export", |out| {
            for _ in 0..PIECES {
                out.write_all(&vec![b'x'; PIECE_BYTES])?;
            }
            out.write_all(b"last words\n")?;
            out.flush()?;
            Err(io::Error::other("a table cannot be read"))
        })
    };
    let read = runtime.block_on(async {
        let (mut client, server) = tokio::io::duplex(16 << 10);
        let service = TowerToHyperService::new(Router::new().route("/", get(handler)));
        tokio::spawn(
            http1::Builder::new()
                .max_buf_size(limits::HEAD_BYTES)
                .serve_connection(TokioIo::new(server), service),
        );
        let request = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
        client.write_all(request).await.unwrap();
        let (mut read, mut buffer) = (Vec::new(), vec![0; 16 << 10]);
        loop {
            match client.read(&mut buffer).await {
                Ok(0) | Err(_) => return read,
                Ok(len) => read.extend_from_slice(&buffer[..len]),
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    });
    let end = String::from_utf8_lossy(&read[read.len().saturating_sub(40)..]);
    // Without the empty chunk that would end a body that is whole.
    assert!(end.ends_with("last words\n\r\n"), "{end:?}");
}
