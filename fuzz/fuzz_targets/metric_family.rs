//! Delimited protobuf: any bytes are read or refused with their message.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tinyobs_model::limits;
use tinyobs_wire::metric_family::read_delimited;

fuzz_target!(|data: &[u8]| {
    let grouping = [("job".to_owned(), "j".to_owned())];
    match read_delimited(data, &grouping) {
        Ok(page) => {
            // A bucket takes at least two bytes of the body; nothing comes from nowhere.
            let series = page.families.iter().map(|family| family.series.len());
            assert!(series.sum::<usize>() <= 4 * data.len());
            for family in &page.families {
                assert!(family.help.len() <= limits::METADATA_BYTES);
                let mut series = family.series.iter();
                assert!(series.all(|series| series.labels.get("job") == Some("j")));
            }
        }
        Err(error) => assert!(error.to_string().len() < 1_000, "{error}"),
    }
});
