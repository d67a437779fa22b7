//! Groups pushed as to a Pushgateway, under `kill -9`.

use std::time::{Duration, Instant};

use tinyobs_testing::{Server, agent};

use super::start_in;

/// The lines of `/metrics` that begin with `start`.
fn shown(server: &Server, start: &str) -> Vec<String> {
    let page = server.ask("/metrics").expect("an answer").text();
    let lines = page.lines().filter(|line| line.starts_with(start));
    lines.map(str::to_owned).collect()
}

#[test]
fn i_group_1_what_was_answered_with_200_survives_a_kill() {
    let dir = tempfile::tempdir().expect("a directory");
    let start = start_in(dir.path());
    let mut server = Server::start(&start).expect("starts");
    for round in 0..5 {
        let agent = agent();
        for group in 0..20 {
            let url = format!("{}/metrics/job/j/group/{group}", server.url);
            let sent = agent.put(&url).send(format!("a {}\n", round * 100 + group));
            assert_eq!(sent.expect("an answer").status(), 200);
        }
        let gone = format!("{}/metrics/job/j/group/{round}", server.url);
        assert_eq!(agent.delete(&gone).call().expect("an answer").status(), 202);
        // Not a moment later.
        server.kill().expect("kills");
        server = Server::start(&start).expect("starts again");
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(5)
            && shown(&server, "tinyobs_pushed_groups") != ["tinyobs_pushed_groups 19"]
        {
            std::thread::sleep(Duration::from_millis(20));
        }
        let mut expected: Vec<String> = (0..20)
            .filter(|group| *group != round)
            .map(|group| format!("a{{group=\"{group}\",job=\"j\"}} {}", round * 100 + group))
            .collect();
        expected.sort();
        let mut found = shown(&server, "a{");
        found.sort();
        assert_eq!(found, expected, "round {round}");
    }
}
