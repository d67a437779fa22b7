//! Disk: a device that can be cut off at any operation, run full, and shows what a crash leaves.
//!
//!   store ─▶ [Disk], a [Files] ─▶ [Disk::crash] ─▶ another disk, as it is found after the crash
//!
//! Operations that change something are counted: making, appending, cutting, syncing, renaming and
//! removing. From the operation on at which it is cut off, nothing changes any more and everything
//! fails; of an append at that moment half the bytes arrive.
//!
//! A name is durable once its directory has been synced, bytes once their file has been.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tinyobs_store::files::{Files, ReadFile, SyncFile, WriteFile};

use crate::steps::Random;

/// What is found after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaves {
    /// Everything that was written: the process was killed.
    Everything,
    /// Only what was synced: the power went.
    OnlySynced,
    /// What was synced, and of the rest as much as this seed draws.
    Some(u64),
}

#[derive(Default, Clone)]
struct Content {
    bytes: Vec<u8>,
    synced: Vec<u8>,
}

impl Content {
    fn sync(&mut self) {
        self.synced.clone_from(&self.bytes);
    }
}

type Node = Arc<Mutex<Content>>;

/// Names and what they stand for from then on, all at once.
type Change = Vec<(PathBuf, Option<Node>)>;

#[derive(Default)]
struct State {
    names: BTreeMap<PathBuf, Node>,
    /// As they were when their directory was last synced.
    durable: BTreeMap<PathBuf, Node>,
    /// Changes of names since, oldest first.
    changes: Vec<Change>,
    operations: u64,
    cut_off_at: Option<u64>,
    full_from: Option<u64>,
}

/// Files in memory. Clones are the same disk.
#[derive(Default, Clone)]
pub struct Disk {
    state: Arc<Mutex<State>>,
}

/// What an operation is for the purpose of failing.
#[derive(PartialEq, Eq)]
enum Needs {
    Room,
    NoRoom,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn not_found() -> io::Error {
    io::ErrorKind::NotFound.into()
}

fn apply(names: &mut BTreeMap<PathBuf, Node>, change: &Change) {
    for (path, node) in change {
        match node {
            Some(node) => names.insert(path.clone(), Arc::clone(node)),
            None => names.remove(path),
        };
    }
}

impl State {
    /// Counts an operation; an error when it must not happen.
    fn begin(&mut self, needs: &Needs) -> io::Result<()> {
        let number = self.operations;
        self.operations += 1;
        if self.cut_off_at.is_some_and(|at| at <= number) {
            return Err(io::Error::other("the disk is cut off"));
        }
        if *needs == Needs::Room && self.full_from.is_some_and(|at| at <= number) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    /// Whether the operation that just failed was the first.
    fn is_first_failure(&self) -> bool {
        [self.cut_off_at, self.full_from].contains(&Some(self.operations - 1))
    }

    fn change(&mut self, change: Change) {
        apply(&mut self.names, &change);
        self.changes.push(change);
    }

    fn get(&self, path: &Path) -> io::Result<Node> {
        self.names.get(path).cloned().ok_or_else(not_found)
    }
}

impl Disk {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Operations so far.
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// From operation `at` on nothing reaches it.
    pub fn cut_off_at(&self, at: u64) {
        self.lock().cut_off_at = Some(at);
    }

    /// From operation `at` on there is no room; never means there is.
    pub fn full_from(&self, at: Option<u64>) {
        self.lock().full_from = at;
    }

    /// Whether some operation found no room.
    pub fn is_full(&self) -> bool {
        let state = self.lock();
        state.full_from.is_some_and(|at| at < state.operations)
    }

    /// Whether it was cut off.
    pub fn is_cut_off(&self) -> bool {
        let state = self.lock();
        state.cut_off_at.is_some_and(|at| at < state.operations)
    }

    /// The disk as it is found after a crash at this moment.
    pub fn crash(&self, leaves: Leaves) -> Self {
        let state = self.lock();
        let mut random = Random(match leaves {
            Leaves::Some(seed) => seed,
            _ => 0,
        });
        let names = match leaves {
            Leaves::Everything => state.names.clone(),
            Leaves::OnlySynced => state.durable.clone(),
            Leaves::Some(_) => {
                let mut names = state.durable.clone();
                let kept = random.below(state.changes.len() as u64 + 1) as usize;
                for change in &state.changes[..kept] {
                    apply(&mut names, change);
                }
                names
            }
        };
        let found = Self::default();
        let mut copy = found.lock();
        for (path, node) in names {
            let node = lock(&node);
            let grew = node.bytes.starts_with(&node.synced);
            let bytes = match leaves {
                Leaves::OnlySynced => node.synced.clone(),
                // What was appended since the last sync may have come in part.
                Leaves::Some(_) if grew => {
                    let more = (node.bytes.len() - node.synced.len()) as u64;
                    let len = node.synced.len() as u64 + random.below(more + 1);
                    node.bytes[..len as usize].to_vec()
                }
                Leaves::Some(_) | Leaves::Everything => node.bytes.clone(),
            };
            let synced = bytes.clone();
            let node = Arc::new(Mutex::new(Content { bytes, synced }));
            copy.durable.insert(path.clone(), Arc::clone(&node));
            copy.names.insert(path, node);
        }
        drop(copy);
        found
    }
}

struct Open {
    disk: Disk,
    node: Node,
}

impl WriteFile for Open {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.lock();
        match state.begin(&Needs::Room) {
            Ok(()) => lock(&self.node).bytes.extend_from_slice(bytes),
            Err(error) => {
                if state.is_first_failure() {
                    let half = &bytes[..bytes.len() / 2];
                    lock(&self.node).bytes.extend_from_slice(half);
                }
                return Err(error);
            }
        }
        Ok(())
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.disk.lock().begin(&Needs::NoRoom)?;
        lock(&self.node).bytes.truncate(len as usize);
        Ok(())
    }

    fn syncer(&self) -> io::Result<Box<dyn SyncFile>> {
        let (disk, node) = (self.disk.clone(), Arc::clone(&self.node));
        Ok(Box::new(Self { disk, node }))
    }
}

impl SyncFile for Open {
    fn sync(&self) -> io::Result<()> {
        self.disk.lock().begin(&Needs::NoRoom)?;
        let mut node = lock(&self.node);
        node.sync();
        Ok(())
    }
}

impl ReadFile for Open {
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let node = lock(&self.node);
        let part = node.bytes.get(offset as usize..offset as usize + out.len());
        out.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(lock(&self.node).bytes.len() as u64)
    }
}

impl Files for Disk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        let mut state = self.lock();
        state.begin(&Needs::Room)?;
        if state.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let node = Node::default();
        state.change(vec![(path.to_path_buf(), Some(Arc::clone(&node)))]);
        let disk = self.clone();
        Ok(Box::new(Open { disk, node }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        let node = self.lock().get(path)?;
        let disk = self.clone();
        Ok(Box::new(Open { disk, node }))
    }

    fn cut(&self, path: &Path, len: u64) -> io::Result<()> {
        let mut state = self.lock();
        state.begin(&Needs::NoRoom)?;
        let node = state.get(path)?;
        let mut node = lock(&node);
        node.bytes.truncate(len as usize);
        node.sync();
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.begin(&Needs::NoRoom)?;
        let node = state.get(from)?;
        state.change(vec![
            (from.to_path_buf(), None),
            (to.to_path_buf(), Some(node)),
        ]);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock();
        // What is not there is no operation: the store asks for it often.
        state.get(path)?;
        state.begin(&Needs::NoRoom)?;
        state.change(vec![(path.to_path_buf(), None)]);
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        let state = self.lock();
        let paths = state.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(paths.cloned().collect())
    }

    fn create_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.begin(&Needs::NoRoom)?;
        let is_in = |path: &Path| path.parent() == Some(dir);
        let named: BTreeMap<PathBuf, Node> = state
            .names
            .iter()
            .filter(|(path, _)| is_in(path))
            .map(|(path, node)| (path.clone(), Arc::clone(node)))
            .collect();
        state.durable.retain(|path, _| !is_in(path));
        state.durable.extend(named);
        let elsewhere = |change: &Change| change.iter().all(|(path, _)| !is_in(path));
        state.changes.retain(elsewhere);
        Ok(())
    }

    fn allocated(&self, path: &Path) -> io::Result<u64> {
        let node = self.lock().get(path)?;
        let bytes = lock(&node).bytes.len() as u64;
        Ok(bytes.div_ceil(4_096) * 4_096)
    }
}
