//! Lives: which call fails in which life of a server, until enough have failed.
//!
//! strace counts each call of each thread for itself, so there is a list for every call and kind of
//! life, and in each the 1st, the 2nd, … fails in turn. A list whose lives end before the failure
//! comes is used up.

use std::fmt;
use std::str::FromStr;

/// How a life is led.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Calls are counted from the start of the process, and it writes until the failure comes.
    Busy,
    /// It writes a little; calls are counted from then on, through maintenance and a clean stop.
    Quiet,
}

/// One life: the `k`-th `call` of a thread fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// How it is led.
    pub kind: Kind,
    /// The system call.
    pub call: String,
    /// Which one, from 1.
    pub k: u64,
}

/// The lives to lead.
pub struct Lives {
    lists: Vec<(Life, bool)>,
    turn: usize,
    left: u64,
}

impl Lives {
    /// Until `count` lives have had their failure.
    pub fn new(count: u64, lists: &[(Kind, &str)]) -> Self {
        let first = |&(kind, call): &(Kind, &str)| {
            let call = call.to_owned();
            (Life { kind, call, k: 1 }, true)
        };
        Self {
            lists: lists.iter().map(first).collect(),
            turn: 0,
            left: count,
        }
    }

    /// Only this one.
    pub fn only(life: Life) -> Self {
        Self {
            lists: vec![(life, true)],
            turn: 0,
            left: 1,
        }
    }

    /// The next one, if there is one to lead.
    pub fn next(&mut self) -> Option<Life> {
        if self.left == 0 || !self.lists.iter().any(|(_, is_open)| *is_open) {
            return None;
        }
        loop {
            self.turn = (self.turn + 1) % self.lists.len();
            if self.lists[self.turn].1 {
                return Some(self.lists[self.turn].0.clone());
            }
        }
    }

    /// Whether the failure came in the life that was given last.
    pub fn note(&mut self, came: bool) {
        let (life, is_open) = &mut self.lists[self.turn];
        life.k += 1;
        *is_open = came;
        self.left -= u64::from(came);
    }
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Busy => "busy",
            Kind::Quiet => "quiet",
        };
        write!(f, "{kind}/{}/{}", self.call, self.k)
    }
}

impl FromStr for Life {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('/').collect();
        let wrong = || format!("{text:?} is not a life, such as busy/fdatasync/3");
        let [kind, call, k] = parts[..] else {
            return Err(wrong());
        };
        let kind = match kind {
            "busy" => Kind::Busy,
            "quiet" => Kind::Quiet,
            _ => return Err(wrong()),
        };
        Ok(Self {
            kind,
            call: call.to_owned(),
            k: k.parse().map_err(|_| wrong())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_used_up_by_a_life_without_the_failure() {
        let mut lives = Lives::new(3, &[(Kind::Busy, "a"), (Kind::Quiet, "b")]);
        let mut led = Vec::new();
        while let Some(life) = lives.next() {
            lives.note(life.kind == Kind::Busy);
            led.push(life.to_string());
        }
        assert_eq!(led, ["quiet/b/1", "busy/a/1", "busy/a/2", "busy/a/3"]);
        let life: Life = "quiet/b/7".parse().unwrap();
        assert_eq!(life.to_string(), "quiet/b/7");
        assert!("quiet/b".parse::<Life>().is_err());
    }
}
