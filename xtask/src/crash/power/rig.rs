//! Rig: a disk whose content at any instant can be copied.
//!
//!   [disk] ext4 ─▶ loop device ─▶ disk.img on [pool] XFS ─▶ cp --reflink ─▶ a copy, for [look]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::super::sandbox;

const POOL_MB: u64 = 1_280;
const DISK_MB: u64 = 256;

/// The file systems.
pub struct Rig {
    /// XFS, with the disk and its copies as files.
    pool: PathBuf,
    /// ext4, for the server.
    pub disk: PathBuf,
    /// ext4 of a copy.
    pub look: PathBuf,
}

impl Rig {
    /// Makes it, in memory.
    pub fn up() -> Result<Self> {
        // In memory: what matters is the order of writes, not the speed of a disk.
        let base = sandbox::mount_tmpfs("power", POOL_MB + 64)?;
        let rig = Self {
            pool: base.join("pool"),
            disk: base.join("disk"),
            look: base.join("look"),
        };
        for dir in [&rig.pool, &rig.disk, &rig.look] {
            fs::create_dir(dir)?;
        }
        let pool = base.join("pool.img");
        fs::File::create(&pool)?.set_len(POOL_MB << 20)?;
        sandbox::quietly(
            Command::new("mkfs.xfs")
                .args(["-q", "-m", "reflink=1"])
                .arg(&pool),
        )?;
        sandbox::mount(&["-o", "loop", &pool.to_string_lossy()], &rig.pool)?;
        let image = rig.pool.join("disk.img");
        fs::File::create(&image)?.set_len(DISK_MB << 20)?;
        sandbox::quietly(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image))?;
        sandbox::mount(&["-o", "loop", &image.to_string_lossy()], &rig.disk)?;
        Ok(rig)
    }

    /// The power is back: the disk holds what a copy does.
    pub fn replace_disk(&self, image: &Path) -> Result<()> {
        sandbox::unmount(&self.disk)?;
        let disk = self.pool.join("disk.img");
        fs::remove_file(&disk)?;
        let mut copy = Command::new("cp");
        sandbox::quietly(copy.arg("--reflink=always").args([image, &disk]))?;
        sandbox::mount(&["-o", "loop", &disk.to_string_lossy()], &self.disk)
    }

    /// What the device holds at this instant, more or less a few milliseconds.
    pub fn cut(&self, name: &str) -> Result<PathBuf> {
        let image = self.pool.join(name);
        sandbox::quietly(
            Command::new("cp")
                .arg("--reflink=always")
                .arg(self.pool.join("disk.img"))
                .arg(&image),
        )?;
        Ok(image)
    }
}
