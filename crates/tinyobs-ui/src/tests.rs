use super::*;

/// Values of `src="…"` and `href="…"` in a page.
fn references(html: &str) -> Vec<&str> {
    let after = |attribute: &'static str| {
        html.split(attribute)
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
    };
    after("src=\"").chain(after("href=\"")).collect()
}

fn text(asset: &Asset) -> &str {
    std::str::from_utf8(asset.body).expect("text assets are UTF-8")
}

#[test]
fn i_ui_4_the_index_has_no_inline_script_style_or_handler() {
    let html = text(index());
    for script in html.split("<script").skip(1) {
        let (tag, rest) = script.split_once('>').expect("a closed tag");
        assert!(tag.contains("src=\""), "inline script: {tag}");
        assert!(
            rest.starts_with("</script>"),
            "a script with a body: {rest:.40}"
        );
    }
    assert!(!html.contains("<style"));
    assert!(!html.contains("style=\""));
    assert!(!html.contains(" on"), "an inline handler");
    assert!(!html.contains("javascript:"));
}

#[test]
fn i_ui_5_everything_the_index_refers_to_is_embedded() {
    let html = text(index());
    let local: Vec<&str> = references(html)
        .into_iter()
        .filter(|at| *at != "metrics")
        .collect();
    assert!(
        local.len() >= 3,
        "script, style and icon at least: {local:?}"
    );
    for at in local {
        let path = at.strip_prefix("./").unwrap_or(at);
        let found = asset(path).unwrap_or_else(|| panic!("{at} is not embedded"));
        assert_eq!(found.path, path);
        assert!(!found.body.is_empty());
    }
    for asset in assets()
        .iter()
        .filter(|asset| asset.content_type.starts_with("text/css"))
    {
        assert!(
            !text(asset).contains("url(http"),
            "{} loads from elsewhere",
            asset.path
        );
    }
}

#[test]
fn i_ui_6_etags_follow_the_content() {
    for a in assets() {
        for b in assets() {
            assert_eq!(
                a.etag == b.etag,
                a.body == b.body,
                "{} and {}",
                a.path,
                b.path
            );
        }
        assert!(a.etag.starts_with("W/\"") && a.etag.ends_with('"') && a.etag.len() == 20);
    }
}

#[test]
fn i_ui_6_only_hashed_names_are_immutable() {
    assert!(!index().immutable);
    for asset in assets() {
        assert_eq!(
            asset.immutable,
            !IS_FALLBACK && asset.path.starts_with("assets/")
        );
    }
}

#[test]
fn gzip_variants_are_smaller_and_are_gzip() {
    for asset in assets() {
        let Some(gzip) = asset.gzip else { continue };
        assert_eq!(gzip.get(..2), Some(&[0x1f, 0x8b][..]), "{}", asset.path);
        assert!(gzip.len() < asset.body.len(), "{}", asset.path);
        // The last four bytes of a gzip member are the length of what it holds.
        let tail: [u8; 4] = gzip[gzip.len() - 4..].try_into().expect("four bytes");
        assert_eq!(
            u32::from_le_bytes(tail) as usize,
            asset.body.len(),
            "{}",
            asset.path
        );
    }
}

#[test]
fn paths_are_found_with_and_without_a_slash_and_nothing_else_is() {
    assert_eq!(asset("/"), Some(index()));
    assert_eq!(asset(""), Some(index()));
    assert_eq!(asset("/index.html"), asset("index.html"));
    for known in assets() {
        assert_eq!(asset(&format!("/{}", known.path)), Some(known));
    }
    assert_eq!(asset("/assets/../index.html"), None);
    assert_eq!(asset("/nothing.js"), None);
}

#[test]
fn content_types_are_those_a_browser_insists_on() {
    for asset in assets() {
        let expected = match asset.path.rsplit('.').next() {
            Some("html") => "text/html; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            other => panic!("unexpected kind of file: {other:?}"),
        };
        assert_eq!(asset.content_type, expected, "{}", asset.path);
    }
}
