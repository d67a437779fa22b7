use super::*;

#[test]
fn rows_stand_under_their_headings() {
    let row = |name: &str, bytes: Value| Row(vec![("name", json!(name)), ("bytes", bytes)]);
    let other = Row(vec![("other", json!(true))]);
    let rows = [row("a", json!(1_000)), row("longer", Value::Null), other];
    assert_eq!(
        table(&rows),
        "name    bytes\n\
         a        1000\n\
         longer      -\n\
         \n\
         other\n \
         true\n"
    );
    assert_eq!(rows[1].to_json(), json!({"name": "longer", "bytes": null}));
}
