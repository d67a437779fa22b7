//! Serve: run the server until a signal, and say how to use it.
//!
//! The first SIGTERM or Ctrl-C drains; a second one, a moment later, ends at once. The demo is
//! stopped before the server, so that its last push still arrives.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use tinyobs_model::limits;
use tinyobs_store::{Durability, EngineKind};
use tokio::time::timeout;

use super::{Outcome, logging, reachable};
use crate::config::Config;
use crate::demo::Demo;
use crate::server::{Running, Server};

/// Runs the server until it is told to stop.
pub fn run(config: Config, unknown: &[String], with_demo: bool) -> Outcome {
    tinyobs_store::memory::share_arenas();
    logging::start(&config);
    for warning in config.warnings().iter().chain(unknown) {
        tracing::warn!("{warning}");
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.min(limits::WORKER_THREADS))
        .max_blocking_threads(limits::BLOCKING_THREADS)
        .thread_name("tinyobs")
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(serve(config, with_demo));
    // A query that nobody waits for any more must not hold up the end.
    runtime.shutdown_background();
    outcome
}

async fn serve(config: Config, with_demo: bool) -> Outcome {
    let mut signals = Signals::new()?;
    let running = Server::start(config.clone()).await?;
    let addr = reachable(running.addr());
    let otlp = running.otlp_addr().map_or(addr, reachable);
    let demo = if with_demo {
        Some(Demo::start(addr).await?)
    } else {
        None
    };
    // Whoever started us may have closed the other end: that is no reason to stop.
    let _ = io::stdout().write_all(greeting(&config, addr, otlp, demo.as_ref()).as_bytes());
    run_until_signal(running, demo, &mut signals).await
}

async fn run_until_signal(running: Running, demo: Option<Demo>, signals: &mut Signals) -> Outcome {
    let stop = running.stop_handle();
    let ended = running.wait();
    tokio::pin!(ended);
    tokio::select! {
        // Without being asked: a fatal error.
        outcome = &mut ended => return Ok(outcome?),
        () = signals.next() => {}
    }
    tracing::info!("stopping; once more to stop at once");
    let orderly = async {
        if let Some(demo) = demo {
            demo.stop().await;
        }
        stop.stop();
        ended.await
    };
    tokio::select! {
        outcome = orderly => {
            outcome?;
            tracing::info!("stopped");
            Ok(())
        }
        () = signals.again() => Err("stopped at once; what was acknowledged is in the log".into()),
    }
}

/// What a newcomer needs to know.
fn greeting(config: &Config, addr: SocketAddr, otlp: SocketAddr, demo: Option<&Demo>) -> String {
    let data = match (config.engine, config.durability) {
        (EngineKind::Memory, _) => "in memory, gone when the server stops".to_owned(),
        (EngineKind::Disk, durability) => format!(
            "{} ({})",
            config.data_dir_absolute().display(),
            match durability {
                Durability::Interval => "a killed process loses nothing, a power cut one second",
                Durability::Sync => "on disk before each answer",
            }
        ),
    };
    let mut out = format!("TinyObs {}\n\n", env!("CARGO_PKG_VERSION"));
    // Writing to a String cannot fail.
    let _ = writeln!(out, "  dashboard   http://{addr}/");
    if let Some(demo) = demo {
        let _ = writeln!(out, "  demo shop   http://{}/", demo.addr());
    }
    let _ = writeln!(out, "  otlp        http://{otlp}/v1/metrics");
    let _ = writeln!(out, "  data        {data}");
    let _ = writeln!(
        out,
        "  try         curl http://{addr}/v1/ingest -H 'content-type: application/json' \
         -d '{{\"metrics\":[{{\"name\":\"room_temperature_celsius\",\"type\":\"gauge\",\
         \"value\":21.5,\"labels\":{{\"service\":\"my-app\"}}}}]}}'"
    );
    let _ = writeln!(out, "  stop        Ctrl-C\n");
    out
}

/// SIGTERM and Ctrl-C, which end the process by themselves only until this is made.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let terminate = signal(SignalKind::terminate())?;
            let interrupt = signal(SignalKind::interrupt())?;
            Ok(Self {
                terminate,
                interrupt,
            })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// A signal that is meant to hurry us: wrappers such as `timeout` deliver the first one to the
    /// process and to its group, so what comes within a second belongs to it.
    async fn again(&mut self) {
        const SAME_SIGNAL: Duration = Duration::from_secs(1);
        let echoes = async {
            loop {
                self.next().await;
            }
        };
        let _: Result<(), _> = timeout(SAME_SIGNAL, echoes).await;
        self.next().await;
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}
