use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// More than the kernel keeps for a peer that does not read.
const BYTES: usize = 64 << 20;

async fn pair(patience: Duration) -> (Patient, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (ours, theirs) = tokio::join!(listener.accept(), TcpStream::connect(addr));
    (Patient::new(ours.unwrap().0, patience), theirs.unwrap())
}

#[tokio::test]
async fn i_conn_1_a_peer_that_does_not_read_is_let_go() {
    let (mut patient, _peer) = pair(Duration::from_millis(300)).await;
    let error = patient.write_all(&vec![0; BYTES]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}

#[tokio::test]
async fn a_slow_peer_gets_everything() {
    let (mut patient, mut peer) = pair(Duration::from_secs(5)).await;
    let reader = tokio::spawn(async move {
        let mut part = vec![0; 4 << 20];
        let mut total = 0;
        loop {
            match peer.read(&mut part).await.unwrap() {
                0 => return total,
                read => total += read,
            }
            sleep(Duration::from_millis(5)).await;
        }
    });
    patient.write_all(&vec![0; BYTES]).await.unwrap();
    patient.shutdown().await.unwrap();
    assert_eq!(reader.await.unwrap(), BYTES);
}
