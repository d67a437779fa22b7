//! Target: whom a subcommand works on, a running server or a store that nobody has open.
//!
//! With `--url` it is that server. Otherwise it is the store of the configured data directory: when
//! a server has it open, that server is asked; when nobody has, it is opened here, with everything
//! that a start does. Where nobody has named a directory and there is none, whoever listens at the
//! configured address is asked.
//!
//! I-TARGET-1  A store that is opened here lets go of nothing that its caller did not name: its
//!             server may have been told to keep more than the defaults say.
//! Proved by: tests/it/tools.rs.

use std::error::Error;
use std::path::Path;

use clap::{Arg, ArgMatches};
use tinyobs_store::{EngineKind, Retention, Store, StoreError, StoreOptions};

use super::http::Remote;
use crate::config::{Config, Resolved};

/// Whom to work on.
pub enum Target {
    /// A running server.
    Server(Remote),
    /// A store that is open in this process.
    Store(Store),
}

/// What a store that is opened here may let go of.
#[derive(Clone, Copy)]
pub struct Limits {
    /// Too old is what is older.
    pub retention: Retention,
    /// Too much is what is beyond; 0 = nothing.
    pub max_bytes: u64,
}

impl Limits {
    /// Nothing goes (I-TARGET-1).
    pub const NONE: Self = Self {
        retention: Retention::FOR_EVER,
        max_bytes: 0,
    };
}

/// `--url`.
pub fn url_argument() -> Arg {
    Arg::new("url")
        .long("url")
        .value_name("URL")
        .help("The running server to ask, such as http://127.0.0.1:8080")
}

impl Target {
    /// The server of `--url`, or the store of the configured directory, kept to `limits`.
    pub fn find(
        matches: &ArgMatches,
        resolved: &Resolved,
        limits: Limits,
    ) -> Result<Self, Box<dyn Error>> {
        if let Some(url) = matches.get_one::<String>("url") {
            return Ok(Self::Server(Remote::new(url)?));
        }
        let config = &resolved.config;
        let dir = config.data_dir_absolute();
        if !dir.join("MANIFEST").exists() {
            if resolved.is_said("data-dir") {
                // Not whoever else may be listening.
                return Err(StoreError::NoStore { dir }.into());
            }
            let server = listening(config)?;
            // Any answer will do: there is a server, and it has its directory elsewhere.
            if server.get("/v1/storage").is_ok() {
                return Ok(Self::Server(server));
            }
            return Err(format!(
                "there is no store in {}, and no server answers at {}: name one with --data-dir \
                 or --url",
                dir.display(),
                server.url()
            )
            .into());
        }
        let options = StoreOptions {
            engine: EngineKind::Disk,
            retention: limits.retention,
            max_bytes: limits.max_bytes,
            ..config.store_options()
        };
        match Store::open(options) {
            Ok(store) => Ok(Self::Store(store)),
            Err(StoreError::Locked { .. }) => Self::of_the_owner(&dir, config),
            Err(error) => Err(error.into()),
        }
    }

    /// The server that has the directory open.
    fn of_the_owner(dir: &Path, config: &Config) -> Result<Self, Box<dyn Error>> {
        let server = listening(config)?;
        let asked = server.get("/v1/storage").map_err(|error| {
            format!(
                "{} is in use by a server, but {error}; name it with --url",
                dir.display()
            )
        })?;
        let its_dir = asked["data_dir"].as_str().unwrap_or_default();
        if same(Path::new(its_dir), dir) {
            return Ok(Self::Server(server));
        }
        Err(format!(
            "{} is in use by a server, but the one at {} has its data in {its_dir:?}; name the \
             right one with --url",
            dir.display(),
            server.url()
        )
        .into())
    }
}

/// The server at the configured address, whether it answers or not.
pub fn listening(config: &Config) -> Result<Remote, Box<dyn Error>> {
    use std::net::ToSocketAddrs;
    let addr = config.listen.to_socket_addrs()?.next();
    let addr = super::reachable(addr.ok_or("no address")?);
    Ok(Remote::new(&format!("http://{addr}"))?)
}

fn same(a: &Path, b: &Path) -> bool {
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    whole(a) == whole(b)
}
