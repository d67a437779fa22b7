use crate::parser::parse;

mod generated;

/// One expression a line, as somebody writes it.
const CORPUS: &str = include_str!("corpus.promql");

#[test]
fn i_print_1_every_line_of_the_corpus_survives() {
    let mut seen = 0;
    for text in CORPUS.lines().filter(|line| !line.is_empty()) {
        let tree = parse(text).unwrap_or_else(|error| panic!("{error}\n{}", error.caret(text)));
        for printed in [tree.to_string(), tree.pretty()] {
            assert_eq!(parse(&printed).as_ref(), Ok(&tree), "{text}\n{printed}");
        }
        seen += 1;
    }
    assert!(seen > 100, "{seen} lines");
}

fn line(text: &str) -> String {
    parse(text).expect(text).to_string()
}

#[test]
fn one_line_is_the_same_for_every_way_of_writing() {
    for (text, expected) in [
        ("  sum (a)  by(b,c)", "sum by (b, c) (a)"),
        ("SUM by () (a)", "sum(a)"),
        ("sum(a) without ()", "sum without () (a)"),
        ("topk by (b) (3,a)", "topk by (b) (3, a)"),
        ("a+on(b)group_left(c)d", "a + on (b) group_left (c) d"),
        (
            "a+ignoring(b)group_right d",
            "a + ignoring (b) group_right () d",
        ),
        ("a+ignoring()d", "a + d"),
        ("a==bool on()d", "a == bool on () d"),
        ("a+fill(1)b", "a + fill (1) b"),
        ("a+fill_right(1)fill_left(1)b", "a + fill (1) b"),
        (
            "a+fill_right(2)fill_left(Inf)b",
            "a + fill_left (+Inf) fill_right (2) b",
        ),
        ("a{b='c',}", "a{b=\"c\"}"),
        ("a{}", "a"),
        ("{\"a\"}", "{__name__=\"a\"}"),
        ("{c='d','a.b'}", "{__name__=\"a.b\",c=\"d\"}"),
        (
            "x{c='1',b='2',\"a.b\"='3'}",
            "x{\"a.b\"=\"3\",b=\"2\",c=\"1\"}",
        ),
        ("info(x, {})", "info(x, {})"),
        ("sum by ('inf', 'a b') (x)", "sum by (\"inf\", \"a b\") (x)"),
        ("{'a-b'=~'c'}", "{\"a-b\"=~\"c\"}"),
        ("{__name__='a'}", "{__name__=\"a\"}"),
        ("a{b='1'or c='2',a='3'}", "a{b=\"1\" or a=\"3\",c=\"2\"}"),
        ("{'a'or c='2'}", "{__name__=\"a\" or c=\"2\"}"),
        ("a[300]offset-60@5", "a[5m] @ 5.000 offset -1m"),
        ("a[5m]smoothed@start()", "a[5m] smoothed @ start()"),
        ("a[1h:]", "a[1h:]"),
        ("a[1h:step()*2]", "a[1h:step() * 2]"),
        ("a offset(5m+step())", "a offset (5m + step())"),
        ("a[min(1m,2)]", "a[min_of(1m, 2)]"),
        ("a[((60))]offset(-1h)", "a[1m] offset -1h"),
        ("a[(60)*2]", "a[(60) * 2]"),
        ("a offset 0", "a"),
        ("a offset -(0s) offset 5m", "a offset 5m"),
        ("a{Inf='1'}", "a{Inf=\"1\"}"),
        ("a @ -1.5", "a @ -1.500"),
        ("1h30m", "1h30m"),
        ("5400", "5400"),
        ("Inf ^ a", "Inf ^ a"),
        ("-Inf ^ a", "-Inf ^ a"),
        ("+Inf * a", "+Inf * a"),
        ("a ^ Inf", "a ^ +Inf"),
        ("0x10", "16"),
        ("- 1", "-1"),
        ("-a", "-a"),
        ("'a\\n\"'", "\"a\\n\\\"\""),
        ("`\\`", "\"\\\\\""),
        ("\"\\x00\\u0085é\"", "\"\\x00\\u0085é\""),
        ("\"\\x07\\b\\013\\x0c\\x7f\"", "\"\\a\\b\\v\\f\\x7f\""),
        (
            "\"\\u200b\\U000e0001\\u00a0e\\u0301'日€\"",
            "\"\\u200b\\U000e0001\\u00a0e\u{301}'日€\"",
        ),
        ("a ATAN2 b", "a atan2 b"),
        ("a # comment\n+ b", "a + b"),
    ] {
        assert_eq!(line(text), expected, "{text}");
    }
}

#[test]
fn what_fits_a_line_stays_on_it() {
    let fits = format!("sum({})", "a".repeat(95));
    assert_eq!(fits.len(), 100);
    assert_eq!(parse(&fits).expect("parses").pretty(), fits);
    let long = format!("sum({})", "a".repeat(96));
    let split = format!("sum(\n  {}\n)", "a".repeat(96));
    assert_eq!(parse(&long).expect("parses").pretty(), split);
}

/// A selector of `len` bytes.
fn wide(name: &str, len: usize) -> String {
    name.repeat(len)
}

#[test]
fn long_expressions_stand_on_lines_of_their_parts() {
    let (a, b) = (wide("a", 60), wide("b", 60));
    for (text, expected) in [
        (
            format!("{a} + on(x) {b}"),
            format!("  {a}\n+ on (x)\n  {b}"),
        ),
        (
            format!("{a} + {b} * {a}"),
            format!("  {a}\n+\n    {b}\n  *\n    {a}"),
        ),
        (
            format!("topk by (x) (3, rate({a}[5m]) / {b})"),
            format!("topk by (x) (\n  3,\n    rate({a}[5m])\n  /\n    {b}\n)"),
        ),
        (
            format!("label_replace({a}, '{b}', '', '', '')"),
            format!("label_replace(\n  {a},\n  \"{b}\",\n  \"\",\n  \"\",\n  \"\"\n)"),
        ),
        (
            format!("({a} + {b})"),
            format!("(\n    {a}\n  +\n    {b}\n)"),
        ),
        (
            format!("-({a} + {b})"),
            format!("-(\n    {a}\n  +\n    {b}\n)"),
        ),
        (
            format!("count({a} + {b})[1h:] offset 5m"),
            format!("count(\n    {a}\n  +\n    {b}\n)[1h:] offset 5m"),
        ),
    ] {
        assert_eq!(parse(&text).expect("parses").pretty(), expected);
    }
}
