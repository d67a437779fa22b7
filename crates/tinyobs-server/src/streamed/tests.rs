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
