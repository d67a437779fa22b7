use std::sync::{Arc, Mutex};

use super::*;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn i_unread_1_the_log_names_some_and_counts_the_others() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false);
    let subscriber = subscriber.with_writer(move || writer.clone()).finish();
    let mut out = Vec::new();
    tracing::subscriber::with_default(subscriber, || {
        let mut unread = Unread::default();
        let error = SelectError {
            message: "a block is damaged".to_owned(),
        };
        for i in 0..1_000 {
            let labels = Labels::new("m", [("i", i.to_string().as_str())]).unwrap();
            unread.note(&labels, &error);
        }
        unread.finish(true, &mut out).unwrap_err();
    });
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), NAMED_MAX + 1, "{log}");
    assert!(lines[NAMED_MAX - 1].contains("i=\\\"19\\\""), "{log}");
    assert!(
        lines[NAMED_MAX].ends_with("further series cannot be exported whole more=980"),
        "{log}"
    );
    let sentence = Unread::sentence_in(&out).unwrap();
    assert!(
        sentence.starts_with("1000 series could not be read"),
        "{sentence}"
    );
    assert!(sentence.contains(" and 980 more; "), "{sentence}");
}
