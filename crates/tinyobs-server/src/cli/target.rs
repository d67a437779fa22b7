//! Target: whom a subcommand works on, a running server or a store that nobody has open.
//!
//! What was named wins over what is there:
//!
//! 1. `--url`: that server.
//! 2. `--data-dir`: the store there; while a server has it open, the server at the configured
//!    address, if it is that one.
//! 3. `--listen`: the server at that address.
//! 4. Nothing: the server at the configured address when one answers there, else the store of the
//!    configured directory; which of them it is, is said on standard error.
//!
//! A flag is stronger than a variable, and of two that are equally strong the directory counts. The
//! file names a directory as well; an address there only says where the server would be.
//!
//! I-TARGET-1  A store that is opened here lets go of nothing that its caller did not name: its
//!             server may have been told to keep more than the defaults say.
//! I-TARGET-2  A store that nobody named is not taken for the running server's that is meant.
//! Proved by: tests/it/tools.rs.

use std::error::Error;
use std::path::Path;

use clap::{Arg, ArgMatches};
use serde_json::Value;
use tinyobs_store::{EngineKind, Retention, Store, StoreError, StoreOptions};

use super::http::Remote;
use crate::config::{Config, Resolved, Strength};

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
    Arg::new("url").long("url").value_name("URL").help(
        "The running server to ask, such as http://127.0.0.1:8080. Without it: the store of \
             --data-dir, or the server that has it open; the server at --listen; when none of \
             these is given, the server at the configured address, and if none answers there, the \
             store of the configured directory",
    )
}

impl Target {
    /// Whom the command line means; a store that is opened is kept to `limits`.
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
        let (by_address, by_dir) = (resolved.strength("listen"), resolved.strength("data-dir"));
        if by_address > by_dir.max(Strength::File) {
            return Ok(Self::Server(listening(config)?));
        }
        let has_store = dir.join("MANIFEST").exists();
        if by_dir > Strength::Default {
            if !has_store {
                // Not whoever else may be listening.
                return Err(StoreError::NoStore { dir }.into());
            }
            return Self::of_dir(&dir, config, limits);
        }
        // I-TARGET-2
        let server = listening(config)?;
        match server.get("/v1/storage") {
            // Another program may listen there, and answer what it likes.
            Ok(storage) if storage["data_dir"].is_string() => {
                eprintln!("{}", choice(&server, &storage, &dir, has_store));
                Ok(Self::Server(server))
            }
            _ if has_store => {
                eprintln!(
                    "using the store in {}: no server answers at {}",
                    dir.display(),
                    server.url()
                );
                Self::of_dir(&dir, config, limits)
            }
            _ => Err(format!(
                "there is no store in {}, and no server answers at {}: name one with --data-dir \
                 or --url",
                dir.display(),
                server.url()
            )
            .into()),
        }
    }

    /// The store in a directory, or the server that has it open.
    fn of_dir(dir: &Path, config: &Config, limits: Limits) -> Result<Self, Box<dyn Error>> {
        let options = StoreOptions {
            engine: EngineKind::Disk,
            retention: limits.retention,
            max_bytes: limits.max_bytes,
            ..config.store_options()
        };
        match Store::open(options) {
            Ok(store) => Ok(Self::Store(store)),
            Err(StoreError::Locked { .. }) => Self::of_the_owner(dir, config),
            Err(error) => Err(unopened(dir, error)),
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

/// Which server it is, and what else could have been meant.
fn choice(server: &Remote, storage: &Value, dir: &Path, has_store: bool) -> String {
    let its_dir = storage["data_dir"].as_str().unwrap_or_default();
    let url = server.url();
    if has_store && !same(Path::new(its_dir), dir) {
        let dir = dir.display();
        return format!(
            "using the server at {url}, which has its data in {its_dir:?}; for the store in {dir} \
             give --data-dir"
        );
    }
    format!("using the server at {url}")
}

/// Why a store cannot be opened. Opening is a start like a server's, and writes: where nothing can be
/// written, that is what to say.
pub fn unopened(dir: &Path, error: StoreError) -> Box<dyn Error> {
    use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    match &error {
        StoreError::Io { source, .. }
            if matches!(source.kind(), PermissionDenied | ReadOnlyFilesystem) =>
        {
            format!(
                "{error}: a store is opened as a server does it, which needs a directory that can be \
                 written; copy {} to one and name that with --data-dir (`tinyobs check` and \
                 `tinyobs inspect` work without)",
                dir.display()
            )
            .into()
        }
        _ => error.into(),
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
