//! OpenFiles: the tables' files, of which only so many are open at once.
//!
//! I-FILES-1  However many tables there are, at most [`OPEN_MAX`] of their files are open, besides
//!            those that a scan under way holds.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::files::{Files, ReadFile};

/// Far below the usual limit of 1,024, which connections share.
const OPEN_MAX: usize = 128;

/// Places of damage that are remembered: whoever has more looks at all of them with `check`.
const DAMAGE_MAX: usize = 1_000;

/// Opens files when they are read and keeps the ones used last.
pub struct OpenFiles {
    files: Arc<dyn Files>,
    /// The one used last at the end.
    open: Mutex<VecDeque<(u64, Arc<dyn ReadFile>)>>,
    /// What readers found damaged, by table and place in it.
    damage: Mutex<BTreeMap<(u64, u64), String>>,
}

impl OpenFiles {
    /// None open yet.
    pub fn new(files: Arc<dyn Files>) -> Self {
        let open = Mutex::new(VecDeque::with_capacity(OPEN_MAX));
        Self {
            files,
            open,
            damage: Mutex::default(),
        }
    }

    /// Remembers what a reader of table `number` found at `offset`.
    pub fn note_damage(&self, number: u64, offset: u64, what: String) {
        let mut damage = self.damage();
        if damage.len() < DAMAGE_MAX {
            damage.entry((number, offset)).or_insert(what);
        }
    }

    /// Table, and what was found in it, of all that readers have met.
    pub fn damage(&self) -> MutexGuard<'_, BTreeMap<(u64, u64), String>> {
        self.damage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file of table `number`, which lies at `path`.
    pub fn get(&self, number: u64, path: &Path) -> io::Result<Arc<dyn ReadFile>> {
        if let Some(file) = self.touch(number) {
            return Ok(file);
        }
        // Not under the lock: the device may take its time, and others read meanwhile. Two that
        // come at once both open the file; the one used less goes first.
        let file: Arc<dyn ReadFile> = Arc::from(self.files.open(path)?);
        let mut open = self.lock();
        if open.len() >= OPEN_MAX {
            open.pop_front();
        }
        open.push_back((number, Arc::clone(&file)));
        Ok(file)
    }

    /// Closes and removes the file of a table. What cannot be removed now, the next start removes.
    pub fn remove(&self, number: u64, path: &Path) {
        self.lock().retain(|(known, _)| *known != number);
        self.damage().retain(|(known, _), _| *known != number);
        if let Err(error) = self.files.remove(path) {
            tracing::warn!(file = %path.display(), %error, "cannot remove a table that is not needed");
        }
    }

    /// The file, if it is open; it counts as the one used last then.
    fn touch(&self, number: u64) -> Option<Arc<dyn ReadFile>> {
        let mut open = self.lock();
        let place = open.iter().rposition(|(known, _)| *known == number)?;
        let entry = open.remove(place)?;
        let file = Arc::clone(&entry.1);
        open.push_back(entry);
        Some(file)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(u64, Arc<dyn ReadFile>)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
