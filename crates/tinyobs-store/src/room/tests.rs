use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tinyobs_model::{Kind, LabelsBuilder, Sample, WriteBatch};

use crate::files::failing::quick_dir;
use crate::files::{Files, ReadFile, RealFiles, SyncFile, WriteFile};
use crate::{Retention, Store, StoreError, StoreOptions};

/// The system's files on a device that is full while the switch is on.
#[derive(Clone, Default)]
struct Device(Arc<AtomicBool>);

impl Device {
    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

struct DeviceFile(Box<dyn WriteFile>, Device);

impl WriteFile for DeviceFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.1.check()?;
        self.0.append(bytes)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.0.truncate(len)
    }

    fn syncer(&self) -> io::Result<Box<dyn SyncFile>> {
        self.0.syncer()
    }
}

impl Files for Device {
    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        self.check()?;
        let file = RealFiles.create(path)?;
        Ok(Box::new(DeviceFile(file, self.clone())))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        RealFiles.open(path)
    }

    fn cut(&self, path: &Path, len: u64) -> io::Result<()> {
        RealFiles.cut(path, len)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealFiles.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealFiles.remove(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        RealFiles.list(dir)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        RealFiles.create_dir(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        RealFiles.sync_dir(dir)
    }

    fn allocated(&self, path: &Path) -> io::Result<u64> {
        RealFiles.allocated(path)
    }
}

fn one(time_ms: i64) -> WriteBatch {
    let (mut batch, mut labels) = (WriteBatch::new(), LabelsBuilder::new());
    labels.begin("m");
    let sample = Sample::new(time_ms, 1.0);
    batch
        .push(0, &mut labels, Kind::Gauge, sample, None)
        .expect("valid");
    batch
}

fn options(dir: &Path, device: &Device) -> StoreOptions {
    StoreOptions {
        files: Arc::new(device.clone()),
        retention: Retention::FOR_EVER,
        ..StoreOptions::disk(dir)
    }
}

#[test]
fn i_room_1_a_full_device_is_told_until_a_write_is_kept() {
    let (dir, device) = (quick_dir(), Device::default());
    let store = Store::open(options(dir.path(), &device)).expect("opens");
    store.append(&one(1)).expect("there is room");
    assert_eq!(store.refusing(), None);

    device.0.store(true, Ordering::SeqCst);
    let refused = store.append(&one(2)).expect_err("there is none");
    assert!(matches!(refused, StoreError::Full { .. }), "{refused}");
    let why = store.refusing().expect("says so");
    assert!(why.starts_with("no space left for "), "{why}");
    assert_eq!(store.storage().refusing, Some(why.clone()));
    // The same text as long as it lasts, and nothing fatal.
    store.append(&one(3)).expect_err("there is none");
    assert_eq!(store.refusing(), Some(why));
    assert_eq!(store.health(), Ok(()));

    // Room alone does not show before somebody writes.
    device.0.store(false, Ordering::SeqCst);
    assert!(store.refusing().is_some());
    store.append(&one(4)).expect("there is room again");
    assert_eq!(store.refusing(), None);
    assert_eq!(store.storage().refusing, None);
}

/// How many samples there are, and the newest one's time.
fn seen(store: &Store) -> (u64, Option<i64>) {
    let stats = store.stats();
    (stats.samples, stats.newest_ms)
}

/// The log's segment needs room for its header, and there is not even that.
#[test]
fn i_wal_7_a_store_opens_on_a_full_device_and_writes_when_there_is_room() {
    let (dir, device) = (quick_dir(), Device::default());
    let store = Store::open(options(dir.path(), &device)).expect("opens");
    store.append(&one(1)).expect("there is room");
    drop(store);

    device.0.store(true, Ordering::SeqCst);
    let store = Store::open(options(dir.path(), &device)).expect("opens without room");
    assert_eq!(seen(&store), (1, Some(1)));
    let refused = store.append(&one(2)).expect_err("there is none");
    assert!(matches!(refused, StoreError::Full { .. }), "{refused}");
    assert!(store.maintain().is_err_and(|error| error.is_full()));
    assert_eq!(store.health(), Ok(()));

    device.0.store(false, Ordering::SeqCst);
    store.append(&one(3)).expect("there is room again");
    assert_eq!(seen(&store), (2, Some(3)));
    drop(store);
    let store = Store::open(options(dir.path(), &device)).expect("opens");
    assert_eq!(seen(&store), (2, Some(3)));
    assert_eq!(store.damage(), Vec::<String>::new());
}
