use serde_json::json;

use super::*;

#[test]
fn one_of_several_is_enough_and_of_all_each_must_be_allowed() {
    for licence in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0 OR MIT",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
    ] {
        assert!(is_allowed(licence), "{licence}");
    }
    for licence in ["", "GPL-3.0", "MIT AND GPL-3.0", "LGPL-2.1-or-later"] {
        assert!(!is_allowed(licence), "{licence}");
    }
    let metadata = json!({"packages": [{"name": "good", "license": "ISC"}, {"name": "bad"}]});
    assert_eq!(refused(&metadata), ["\"bad\" has licence \"\""]);
}
