//! Healthcheck: for containers that have no curl.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use tinyobs_model::limits;

use super::{Outcome, reachable};
use crate::config::Config;

/// Asks the configured server for `/readyz`.
pub fn run(config: &Config) -> Outcome {
    const PATIENCE: Duration = Duration::from_secs(limits::HEALTHCHECK_SECONDS);
    let listen = &config.listen;
    let addr = listen.to_socket_addrs()?.next().ok_or("no address")?;
    let addr = reachable(addr);
    let failed = |error: std::io::Error| format!("no server answers at {addr}: {error}");
    let mut stream = TcpStream::connect_timeout(&addr, PATIENCE).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let mut answer = Vec::new();
    stream
        .take(4_096)
        .read_to_end(&mut answer)
        .map_err(failed)?;
    if answer.starts_with(b"HTTP/1.1 200 ") {
        println!("ready");
        return Ok(());
    }
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.lines().next().unwrap_or("nothing");
    Err(format!("the server at {addr} is not ready: {status}").into())
}
