use super::*;

#[test]
fn escaped_names_mean_others() {
    for (name, meant) in [
        ("job", "job"),
        ("__name__", "__name__"),
        ("U__http_2e_status", "http.status"),
        ("U__a__b", "a_b"),
        ("U___e9_", "é"),
        ("U___1f525_fire", "\u{1f525}fire"),
        // No such names.
        ("U__a_2e", "U__a_2e"),
        ("U__a_zz_", "U__a_zz_"),
        ("U__a_d800_", "U__a_d800_"),
        ("U__a_1234567_", "U__a_1234567_"),
        ("u__a_2e_b", "u__a_2e_b"),
    ] {
        assert_eq!(unescaped(name), meant);
    }
}

#[test]
fn selectors_are_counted() {
    let error = |text: &str| {
        let form = Form::parse(&[text]).unwrap();
        let result = selection(&form, &Cancel::default());
        result.unwrap_err().message().to_owned()
    };
    let many = |one: &str, count| vec![one; count].join("&");
    assert_eq!(
        error(&many("match[]=up", limits::SELECTORS + 1)),
        "invalid parameter \"match[]\": the request has more than 64 selectors"
    );
    let regex = "match[]={a=~\"x.*\",b=~\"y.%2B\"}";
    assert_eq!(
        error(&many(regex, limits::REGEXES_PER_REQUEST / 2 + 1)),
        "invalid parameter \"match[]\": the request has more than 32 regular expressions"
    );
    assert!(error("match[]={").contains("1:2: parse error"));
    let form = Form::parse(&[""]).unwrap();
    let all = selection(&form, &Cancel::default()).unwrap();
    assert_eq!((all.len(), all[0].len()), (1, 0));
}
