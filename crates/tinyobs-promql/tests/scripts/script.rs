//! Script: the format of Prometheus' promqltest, as far as samples are floats.
//!
//!   load 1m                               series with a value every minute from the epoch
//!     x{a="1"} 1+2x3 _ stale              1 3 5 7, nothing, the end
//!   eval instant at 5m sum(x)             a query and what comes out of it
//!     {} 7
//!   eval range from 0 to 2m step 1m x
//!     expect no_warn

use tinyobs_model::{Labels, stale_marker};
use tinyobs_promql::{DurationKind, Expr, ExprKind, Function, parse, parse_selector};

/// One step of a script.
#[derive(Debug)]
pub enum Command {
    Clear,
    Load(Load),
    Eval(Box<Eval>),
}

#[derive(Debug, Default)]
pub struct Load {
    pub gap_ms: i64,
    pub series: Vec<Row>,
    /// Native histograms are made of classic ones.
    pub makes_native: bool,
    pub start_timestamps: bool,
}

/// Labels and values.
#[derive(Debug, Clone)]
pub struct Row {
    pub labels: Labels,
    /// At each step; none is no sample.
    pub values: Vec<Option<f64>>,
    /// Some values are histograms; they are left out.
    pub native: bool,
}

/// What a query is expected to do.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a line of its own in a script"
)]
pub struct Eval {
    pub line: usize,
    pub text: String,
    pub is_range: bool,
    pub start_ms: i64,
    pub end_ms: i64,
    pub step_ms: i64,
    pub fails: bool,
    pub ordered: bool,
    pub range_vector: bool,
    pub scalar: Option<f64>,
    pub string: Option<String>,
    pub rows: Vec<Row>,
    /// `warn`, `no_info` and their like.
    pub annotations: Vec<String>,
}

impl Eval {
    /// What its query needs: nothing in particular, or something that Prometheus keeps behind a flag.
    pub fn category(&self) -> &'static str {
        let Ok(expr) = parse(&self.text) else {
            return "refused";
        };
        let mut category = "stable";
        expr.walk(&mut |node| category = of_node(node).unwrap_or(category));
        category
    }
}

/// What of Prometheus' flags a node needs.
fn of_node(node: &Expr) -> Option<&'static str> {
    let computed = |kind: &DurationKind| !matches!(kind, DurationKind::Number(_));
    if node.durations().any(|duration| computed(&duration.kind)) {
        return Some("computed durations");
    }
    match &node.kind {
        ExprKind::Vector(selector) if selector.extension.is_some() => Some("extended ranges"),
        ExprKind::Matrix(range) if range.selector.extension.is_some() => Some("extended ranges"),
        ExprKind::Binary(binary) => {
            let matching = binary.matching.as_ref()?;
            let fills = matching.fill_left.is_some() || matching.fill_right.is_some();
            fills.then_some("fill")
        }
        ExprKind::Call(call) => is_experimental(call.function).then_some("experimental functions"),
        ExprKind::Aggregate(aggregate) => {
            let name = aggregate.op.name();
            name.starts_with("limit")
                .then_some("experimental functions")
        }
        _ => None,
    }
}

fn is_experimental(function: Function) -> bool {
    use Function as F;
    matches!(
        function,
        F::DoubleExponentialSmoothing
            | F::FirstOverTime
            | F::HistogramQuantiles
            | F::Info
            | F::MadOverTime
            | F::SortByLabel
            | F::SortByLabelDesc
            | F::TsOfFirstOverTime
            | F::TsOfLastOverTime
            | F::TsOfMaxOverTime
            | F::TsOfMinOverTime
            | F::Start
            | F::End
            | F::Range
            | F::Step
            | F::MaxOf
            | F::MinOf
            | F::StartTimestamp
    )
}

pub fn commands(text: &str) -> Vec<Command> {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .map(|line| if line.starts_with('#') { "" } else { line })
        .collect();
    let mut out = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let below = lines[at + 1..].iter().take_while(|l| !l.is_empty()).count();
        let body = &lines[at + 1..at + 1 + below];
        let word = lines[at].split_whitespace().next().unwrap_or("");
        match word {
            "" => {}
            "clear" => out.push(Command::Clear),
            _ if word.starts_with("load") => out.push(Command::Load(load(lines[at], body))),
            _ if word.starts_with("eval") => {
                out.push(Command::Eval(Box::new(eval(at + 1, lines[at], body))));
            }
            _ => panic!("line {}: unknown command {word}", at + 1),
        }
        at += 1;
        if word.starts_with("load") || word.starts_with("eval") {
            at += below;
        }
    }
    out
}

fn load(line: &str, body: &[&str]) -> Load {
    let mut words = line.split_whitespace();
    let mut load = Load {
        makes_native: words.next() == Some("load_with_nhcb"),
        gap_ms: duration_ms(words.next().expect("a gap")),
        ..Load::default()
    };
    for line in body {
        let (metric, _) = split_metric(line);
        if line[metric.len()..].starts_with("@st") {
            load.start_timestamps = true;
        } else {
            load.series.push(row(line));
        }
    }
    load
}

fn eval(number: usize, line: &str, body: &[&str]) -> Eval {
    let mut words = line.splitn(3, char::is_whitespace);
    let command = words.next().unwrap_or("");
    let mut eval = Eval {
        line: number,
        is_range: words.next() == Some("range"),
        fails: command == "eval_fail",
        ordered: command == "eval_ordered",
        ..Eval::default()
    };
    let mut rest = words.next().unwrap_or("").trim();
    let mut take = |keyword: &str| -> Option<i64> {
        let (value, behind) = rest
            .strip_prefix(keyword)?
            .trim_start()
            .split_once(char::is_whitespace)?;
        rest = behind.trim_start();
        Some(duration_ms(value))
    };
    if eval.is_range {
        eval.start_ms = take("from").expect("a start");
        eval.end_ms = take("to").expect("an end");
        eval.step_ms = take("step").expect("a step");
    } else {
        eval.start_ms = take("at").unwrap_or(0);
        eval.end_ms = eval.start_ms;
    }
    rest.clone_into(&mut eval.text);
    match command {
        "eval_warn" => eval.annotations.push("warn".to_owned()),
        "eval_info" => eval.annotations.push("info".to_owned()),
        _ => {}
    }
    for line in body {
        expectation(&mut eval, line);
    }
    eval
}

fn expectation(eval: &mut Eval, line: &str) {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        [
            "expect",
            "range",
            "vector",
            "from",
            start,
            "to",
            end,
            "step",
            step,
        ] => {
            eval.range_vector = true;
            (eval.start_ms, eval.end_ms) = (duration_ms(start), duration_ms(end));
            eval.step_ms = duration_ms(step);
        }
        ["expect", "string", ..] => {
            let literal = line["expect string".len()..].trim();
            match parse(literal).expect("a text").kind {
                ExprKind::String(text) => eval.string = Some(text),
                other => panic!("no text: {other:?}"),
            }
        }
        ["expect", "fail", ..] => eval.fails = true,
        ["expect", "ordered", ..] => eval.ordered = true,
        ["expect", kind, ..] => eval.annotations.push((*kind).to_owned()),
        [only] if number(only).is_some() => eval.scalar = number(only),
        [first, ..] if first.starts_with("expected_fail") => {}
        _ => eval.rows.push(row(line)),
    }
}

fn row(line: &str) -> Row {
    let (metric, rest) = split_metric(line);
    let (values, native) = values(rest);
    Row {
        labels: labels(metric),
        values,
        native,
    }
}

/// Where the labels end.
fn split_metric(line: &str) -> (&str, &str) {
    let name_end = line
        .find(|c: char| c.is_whitespace() || c == '{' || c == '@')
        .unwrap_or(line.len());
    let behind = line[name_end..].trim_start();
    let open = line.len() - behind.len();
    if !behind.starts_with('{') || behind.starts_with("{{") {
        return line.split_at(name_end);
    }
    let (mut quote, mut escaped) = (None, false);
    for (i, c) in line[open..].char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some('"' | '\''), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '}') => return line.split_at(open + i + 1),
            _ => {}
        }
    }
    panic!("labels without an end: {line}");
}

fn labels(metric: &str) -> Labels {
    if metric.trim_matches(|c: char| "{} ".contains(c)).is_empty() {
        return Labels::empty();
    }
    let selector = parse_selector(metric.trim());
    let selector = selector.unwrap_or_else(|error| panic!("{metric}: {error}"));
    let pairs = selector.matchers.iter().map(|m| (m.name(), m.value()));
    Labels::of_pairs(pairs)
}

fn values(text: &str) -> (Vec<Option<f64>>, bool) {
    let (mut out, mut native) = (Vec::new(), false);
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if rest.starts_with("{{") {
            native = true;
            let end = rest.rfind("}}").expect("an end") + 2;
            let behind = &rest[end..];
            rest = behind
                .trim_start_matches(|c: char| !c.is_whitespace())
                .trim_start();
            continue;
        }
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        item(&rest[..end], &mut out);
        rest = rest[end..].trim_start();
    }
    (out, native)
}

/// `5`, `5x3`, `5+1x3`, `_`, `_x3`, `stale`
fn item(text: &str, out: &mut Vec<Option<f64>>) {
    let (value, times) = match text.split_once('x') {
        Some((value, times)) => (value, times.parse::<usize>().expect("a count")),
        None => (text, 0),
    };
    if value == "_" {
        out.extend(std::iter::repeat_n(None, times.max(1)));
        return;
    }
    if value == "stale" {
        out.extend(std::iter::repeat_n(Some(stale_marker()), times + 1));
        return;
    }
    let bytes = value.as_bytes();
    let is_sign = |&i: &usize| b"+-".contains(&bytes[i]) && !b"eE".contains(&bytes[i - 1]);
    let (first, step) = match (1..bytes.len()).find(is_sign) {
        Some(sign) => (&value[..sign], number(&value[sign..]).expect("a step")),
        None => (value, 0.0),
    };
    let mut current = number(first).unwrap_or_else(|| panic!("no number: {text}"));
    for _ in 0..=times {
        out.push(Some(current));
        if step != 0.0 {
            current += step;
        }
    }
}

fn number(text: &str) -> Option<f64> {
    if let Ok(value) = text.replace('_', "").parse() {
        return Some(value);
    }
    match parse(text).ok()?.kind {
        ExprKind::Number(number) => Some(number.value),
        _ => None,
    }
}

fn duration_ms(text: &str) -> i64 {
    let seconds = number(text).unwrap_or_else(|| panic!("no duration: {text}"));
    (seconds * 1_000.0).round() as i64
}
