//! Page: what Prometheus collects, with values that are easily lost on the way.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result};

/// Values that never change, by the label that names them.
pub const EXTREMES: [(&str, f64); 9] = [
    ("zero below", -0.0),
    ("zero", 0.0),
    ("greatest", f64::MAX),
    ("least", f64::MIN),
    ("smallest", 5e-324),
    ("beyond 2^53", 9_007_199_254_740_994.0),
    ("infinity", f64::INFINITY),
    ("infinity below", f64::NEG_INFINITY),
    ("no number", f64::NAN),
];

/// Name, type and help as they should arrive.
pub const DESCRIBED: [(&str, &str, &str); 5] = [
    (
        "orders_total",
        "counter",
        "Orders, \"paid\" or not; größer als 0.",
    ),
    ("extremes", "gauge", "Values at the edges."),
    ("took_seconds_bucket", "histogram", "How long it took."),
    ("took_seconds_sum", "histogram", "How long it took."),
    ("took_seconds_count", "histogram", "How long it took."),
];

/// Series of a page.
pub const SERIES: usize = EXTREMES.len() + 2 + 5;

/// A page as it is after so many scrapes.
fn page(scrapes: u32) -> String {
    let mut page = String::from(
        "# HELP orders_total Orders, \"paid\" or not; größer als 0.\n# TYPE orders_total counter\n",
    );
    let (third, tenth) = (f64::from(scrapes) / 3.0, f64::from(scrapes) * 0.1);
    let _ = write!(
        page,
        "orders_total{{path=\"a \\\"b\\\"\\\\\\n\"}} {scrapes}\norders_total{{path=\"größe\"}} {third}\n\
         # HELP extremes Values at the edges.\n# TYPE extremes gauge\n"
    );
    for (of, value) in EXTREMES {
        // Rust says `inf` and `-inf`, which Prometheus takes too.
        let _ = writeln!(page, "extremes{{of=\"{of}\"}} {value:e}");
    }
    let _ = write!(
        page,
        "# HELP took_seconds How long it took.\n# TYPE took_seconds histogram\n\
         took_seconds_bucket{{le=\"0.1\"}} {}\ntook_seconds_bucket{{le=\"1.0\"}} {scrapes}\n\
         took_seconds_bucket{{le=\"+Inf\"}} {}\ntook_seconds_sum {tenth}\ntook_seconds_count {}\n",
        scrapes / 2,
        scrapes * 2,
        scrapes * 2,
    );
    page
}

/// Both pages, `/steady` and `/leaver`, served until the command ends.
pub struct Pages {
    /// On 127.0.0.1.
    pub port: u16,
    has_vanished: Arc<AtomicBool>,
}

impl Pages {
    /// Serves them.
    pub fn serve() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let pages = Self {
            port: listener.local_addr()?.port(),
            has_vanished: Arc::default(),
        };
        let has_vanished = Arc::clone(&pages.has_vanished);
        thread::spawn(move || {
            let mut scrapes = 0;
            for connection in listener.incoming().flatten() {
                scrapes += 1;
                // Who hangs up gets no page.
                let _ = answer(connection, scrapes, has_vanished.load(Ordering::Relaxed));
            }
        });
        Ok(pages)
    }

    /// From now on one of them is not there.
    pub fn vanish(&self) -> Instant {
        self.has_vanished.store(true, Ordering::Relaxed);
        Instant::now()
    }
}

fn answer(mut connection: TcpStream, scrapes: u32, has_vanished: bool) -> Result<()> {
    let mut lines = BufReader::new(connection.try_clone()?).lines();
    let first = lines.next().context("a request")??;
    while !lines.next().context("the rest of it")??.is_empty() {}
    let is_there = first.contains(" /steady ") || !has_vanished;
    let (status, body) = if is_there {
        (200, page(scrapes))
    } else {
        (404, String::new())
    };
    let head = format!(
        "HTTP/1.1 {status} -\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes())?;
    Ok(connection.write_all(body.as_bytes())?)
}
