//! Tables: each as its manifest describes it, block by block.

use std::sync::Arc;

use super::Report;
use super::entries::Entries;
use crate::directory::Directory;
use crate::engine::TableLine;
use crate::engine::table::cursor::Cursor;
use crate::engine::table::{MAGIC, Table};
use crate::error::StoreError;

/// Checks one table, and says now and then how many of its bytes are done.
pub fn check(
    directory: &Directory,
    line: &TableLine,
    report: &mut Report,
    progress: &mut dyn FnMut(u64),
) {
    let path = directory.table_path(line.number);
    report.tables += 1;
    report.table_bytes += line.bytes;
    let table = match directory.table(line) {
        Ok(Some(table)) => table,
        Ok(None) => return,
        Err(error) => return report.error(&path, error),
    };
    if let Err(error) = layout(&table, report).and_then(|()| walk(&table, report, progress)) {
        report.error(&path, error);
    }
}

/// No byte lies between what is checked: the magic number, blocks one after the other, the index.
fn layout(table: &Table, report: &mut Report) -> Result<(), StoreError> {
    let mut magic = [0; MAGIC.len()];
    let file = table.file()?;
    file.read_at(0, &mut magic)
        .map_err(|e| StoreError::io("read", table.path(), e))?;
    if magic != MAGIC {
        report.damage(table.path(), 0, "the magic number is damaged");
    }
    let mut end = MAGIC.len() as u64;
    for block in 0..table.blocks() {
        let (at, len) = table.extent(block);
        if at != end {
            report.damage(table.path(), end, "there are bytes that no block holds");
        }
        end = at + len;
    }
    Ok(())
}

fn walk(
    table: &Arc<Table>,
    report: &mut Report,
    progress: &mut dyn FnMut(u64),
) -> Result<(), StoreError> {
    /// Entries between two reports of progress.
    const LOOK_EVERY: u64 = 1_024;
    let line = table.line();
    let mut cursor = Cursor::new(Arc::clone(table))?;
    let mut entries = Entries::new(table);
    let mut is_whole = true;
    loop {
        match cursor.advance() {
            Ok(()) => {}
            Err(error @ StoreError::Corrupt { .. }) => {
                // I-CHECK-2: the cursor stands behind the damaged block.
                is_whole = false;
                report.error(table.path(), error);
                continue;
            }
            Err(error) => return Err(error),
        }
        let Some((key, value)) = cursor.entry() else {
            break;
        };
        entries.check(key, value, cursor.block_at(), report);
        if entries.count().is_multiple_of(LOOK_EVERY) {
            progress(cursor.block_at());
        }
    }
    if is_whole {
        entries.finish(line, report);
    }
    Ok(())
}
