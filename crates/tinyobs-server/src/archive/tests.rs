use super::*;

const TABLE: &str = "tables/0000000000000007.table";

/// A tar of these names and contents, whatever they are.
fn tar_of(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for (name, kind, content) in entries {
        let mut header = Header::new_ustar();
        // Past the checks of the library, which would refuse to write some of them.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        header.set_cksum();
        tar.append(&header, *content).unwrap();
    }
    tar.into_inner().unwrap()
}

fn unpacked(archive: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("data");
    fs::create_dir(&dir).unwrap();
    let result = unpack(archive, &dir).map_err(|error| error.to_string());
    // Whatever was in the archive, there is nothing beside the directory.
    assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 1);
    result?;
    let mut found = Vec::new();
    for dir in [&dir, &dir.join("tables")] {
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                let name = entry.file_name().into_string().unwrap();
                found.push((name, fs::read(entry.path()).unwrap()));
            }
        }
    }
    found.sort();
    Ok(found)
}

const FILE: EntryType = EntryType::Regular;

#[test]
fn what_is_packed_comes_out() {
    let long = vec![7_u8; 600_000];
    let archive = tar_of(&[(TABLE, FILE, &long), ("MANIFEST", FILE, b"tinyobs 2\n")]);
    assert_eq!(
        unpacked(&archive).unwrap(),
        [
            ("0000000000000007.table".to_owned(), long),
            ("MANIFEST".to_owned(), b"tinyobs 2\n".to_vec()),
        ]
    );
}

#[test]
fn i_archive_1_strangers_are_refused() {
    for name in [
        "/etc/passwd",
        "../MANIFEST",
        "tables/../../x",
        "tables/../0000000000000007.table",
        "tables/0000000000000007.table/x",
        "tables//0000000000000007.table",
        "./MANIFEST",
        "MANIFEST/",
        "manifest",
        "tables/7.table",
        "tables/000000000000000x.table",
        "tables/0000000000000007.table.tmp",
        "LOCK",
        "wal/0000000000000001.wal",
    ] {
        let archive = tar_of(&[(name, FILE, b"x"), ("MANIFEST", FILE, b"")]);
        let expected = format!(
            "it holds {name:?}, which is no file of a store: this is not a backup of TinyObs"
        );
        assert_eq!(unpacked(&archive), Err(expected));
    }
    for kind in [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Directory,
        EntryType::Fifo,
    ] {
        let archive = tar_of(&[(TABLE, kind, b""), ("MANIFEST", FILE, b"")]);
        assert!(
            unpacked(&archive)
                .unwrap_err()
                .contains("no file of a store")
        );
    }
    let twice = tar_of(&[("MANIFEST", FILE, b"a"), ("MANIFEST", FILE, b"b")]);
    assert_eq!(unpacked(&twice), Err("it holds MANIFEST twice".to_owned()));
}

#[test]
fn i_archive_2_an_archive_cut_short_is_an_error_wherever_it_is_cut() {
    let archive = tar_of(&[(TABLE, FILE, &[1; 700]), ("MANIFEST", FILE, &[2; 300])]);
    let last = archive.len() - 2 * BLOCK as usize - (512 - 300);
    for len in (0..last).step_by(173).chain([last - 1]) {
        assert!(unpacked(&archive[..len]).is_err(), "{len} bytes");
    }
    assert!(unpacked(&archive).is_ok());
    assert!(unpacked(&[0; 2_048]).is_err());
    assert!(unpacked(&[0x5a; 2_048]).is_err());
}
