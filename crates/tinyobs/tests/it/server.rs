//! A small HTTP/1.1 server: records each request and answers as told.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tinyobs::ClientBuilder;

/// A request as it came in.
#[derive(Debug, Clone)]
pub struct Request {
    pub line: String,
    pub headers: BTreeMap<String, String>,
    pub body: Json,
    pub bytes: usize,
    pub at: Instant,
}

impl Request {
    pub fn items(&self) -> &[Json] {
        self.body["metrics"].as_array().unwrap()
    }

    pub fn is_final(&self) -> bool {
        self.body["source"]["final"] == true
    }
}

/// What to do with a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// 200, everything stored.
    Stored,
    /// A status, further header lines and a body.
    Status(u16, &'static str, String),
    /// Nothing, ever.
    Silence,
    /// The connection ends in the middle of the answer.
    Cut,
}

type Decide = dyn Fn(usize, &Request) -> Reply + Send + Sync;

pub struct Server {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// A server that stores everything.
    pub fn start() -> Self {
        Self::with(|_, _| Reply::Stored)
    }

    /// A server that answers as `decide` says, which gets each request's number and content.
    pub fn with(decide: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::on("127.0.0.1:0".parse().unwrap(), decide)
    }

    pub fn on(
        address: SocketAddr,
        decide: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let decide: Arc<Decide> = Arc::new(decide);
        let seen = requests.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, seen, decide) = (stream.unwrap(), seen.clone(), decide.clone());
                thread::spawn(move || serve(&stream, &seen, &*decide));
            }
        });
        Self { address, requests }
    }

    /// A client of this server that sends nothing but what the test records, and only when told.
    pub fn client(&self) -> ClientBuilder {
        client_of(self.address)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// All items so far, in the order they came.
    pub fn items(&self) -> Vec<Json> {
        let requests = self.requests();
        requests.iter().flat_map(|r| r.items().to_vec()).collect()
    }

    /// The newest value of a metric without labels of its own.
    pub fn latest(&self, name: &str) -> Option<f64> {
        let items = self.items();
        let found = items.iter().rev().find(|item| item["name"] == name)?;
        found["value"].as_f64()
    }

    /// Waits until `true`; fails the test after ten seconds.
    pub fn wait_for(&self, what: &str, mut condition: impl FnMut(&Self) -> bool) {
        let started = Instant::now();
        while !condition(self) {
            assert!(started.elapsed() < Duration::from_secs(10), "no {what}");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

pub fn client_of(address: SocketAddr) -> ClientBuilder {
    tinyobs::Client::builder("test")
        .endpoint(format!("http://{address}"))
        .instance("host:1")
        .flush_interval(Duration::from_hours(1))
        .process_metrics(false)
        .self_metrics(false)
}

/// An address where nobody listens.
pub fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

fn serve(stream: &TcpStream, seen: &Mutex<Vec<Request>>, decide: &Decide) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let request = read(&mut reader)?;
        let number = {
            let mut seen = seen.lock().unwrap();
            seen.push(request.clone());
            seen.len() - 1
        };
        let mut writer = stream;
        match decide(number, &request) {
            Reply::Stored => {
                let count = request.items().len();
                let body = json!({"status": "success", "count": count, "errors": []}).to_string();
                answer(&mut writer, 200, "", &body)?;
            }
            Reply::Status(status, headers, body) => answer(&mut writer, status, headers, &body)?,
            Reply::Silence => thread::sleep(Duration::from_mins(1)),
            Reply::Cut => {
                let _ = writer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"cou");
                return None;
            }
        }
    }
}

fn answer(stream: &mut &TcpStream, status: u16, headers: &str, body: &str) -> Option<()> {
    let len = body.len();
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {len}\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim().split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let bytes = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; bytes];
    reader.read_exact(&mut body).ok()?;
    Some(Request {
        line: line.trim().to_owned(),
        headers,
        body: serde_json::from_slice(&body).unwrap(),
        bytes,
        at: Instant::now(),
    })
}
