use super::*;

#[test]
fn i_functions_1_names_are_unique_and_in_order() {
    assert!(ALL.is_sorted_by(|(_, a), (_, b)| a.name < b.name));
    for (function, signature) in ALL {
        assert_eq!(Function::named(signature.name), Some(*function));
        assert_eq!(function.signature(), signature);
        assert_eq!(function.name(), signature.name);
    }
    assert_eq!(Function::named("RATE"), None);
    assert_eq!(Function::named(""), None);
}

#[test]
fn names_and_identifiers_agree() {
    for (function, signature) in ALL {
        let camel: String = signature.name.split('_').map(capital).collect();
        assert_eq!(format!("{function:?}"), camel);
    }
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}

#[test]
fn signatures_hold_together() {
    for (_, signature) in ALL {
        let name = signature.name;
        assert!(signature.required <= signature.most, "{name}");
        // Only the last argument repeats.
        assert!(signature.args.len() <= signature.most, "{name}");
        assert!(signature.args.len() + 1 >= signature.required, "{name}");
    }
    let replace = Function::LabelReplace.signature();
    assert_eq!(replace.args, [V, T, T, T, T]);
    let join = Function::LabelJoin.signature();
    assert_eq!((join.arg(0), join.arg(9)), (Some(V), Some(T)));
    assert_eq!(Function::Pi.signature().arg(0), None);
}
