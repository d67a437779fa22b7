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
