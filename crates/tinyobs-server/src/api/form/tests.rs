use super::*;

#[test]
fn i_form_1_the_body_comes_first() {
    let form = Form::parse(&["query=a%2Bb&x=1", "query=c&match[]=m&match%5B%5D=n"]).unwrap();
    assert_eq!(form.text("query"), Some("a+b"));
    assert_eq!(form.text("x"), Some("1"));
    assert_eq!(form.all("match[]").collect::<Vec<_>>(), ["m", "n"]);
    assert_eq!(form.text("y"), None);
}

#[test]
fn i_form_2_few_parameters() {
    let pairs = |count| "a=1&".repeat(count);
    assert!(Form::parse(&[&pairs(limits::FORM_PARAMETERS)]).is_ok());
    let error = Form::parse(&[&pairs(limits::FORM_PARAMETERS), "b"]).unwrap_err();
    assert_eq!(error.message(), "the request has more than 256 parameters");
}

#[test]
fn i_form_3_empty_is_absent() {
    let form = Form::parse(&["time=&query"]).unwrap();
    assert_eq!((form.text("time"), form.text("query")), (None, None));
    let message = form.required("query").unwrap_err().message().to_owned();
    assert_eq!(message, "invalid parameter \"query\": it is missing");
}

#[test]
fn limits_are_numbers() {
    let limit = |text: &str| Form::parse(&[text]).unwrap().limit("limit");
    assert_eq!(limit("").unwrap(), usize::MAX);
    assert_eq!(limit("limit=0").unwrap(), usize::MAX);
    assert_eq!(limit("limit=7").unwrap(), 7);
    for bad in ["limit=-1", "limit=x", "limit=1.5"] {
        let error = limit(bad).unwrap_err();
        assert_eq!(error.kind(), Kind::BadData);
        assert!(error.message().contains("from 0 on"), "{}", error.message());
    }
}

#[test]
fn what_is_no_text_is_named() {
    for bad in ["query=%ff", "query=%4", "query=%zz"] {
        let error = Form::parse(&[bad]).unwrap_err();
        assert_eq!(
            error.message(),
            "invalid parameter \"query\": it is not UTF-8 in percent encoding"
        );
    }
}
