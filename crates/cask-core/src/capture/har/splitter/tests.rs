use super::*;
use proptest::prelude::*;

fn split(bytes: &[u8], step: usize) -> (Vec<String>, Result<End, NotHar>) {
    let mut out = Vec::new();
    let mut splitter = Splitter::with_limit(200);
    for chunk in bytes.chunks(step.max(1)) {
        let pushed = splitter.push(chunk, &mut |item| {
            out.push(match item {
                Item::Entry(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                Item::Lost(why) => format!("lost: {why}"),
            });
        });
        if let Err(error) = pushed {
            return (out, Err(error));
        }
    }
    (out, splitter.finish())
}

fn ends(text: &str) -> (Vec<String>, End) {
    let (entries, end) = split(text.as_bytes(), 7);
    (entries, end.unwrap())
}

#[test]
fn entries_are_found_wherever_the_tool_put_them() {
    let (entries, end) = ends(
        "\u{feff} {\"x\":[{\"entries\":[{}]}],\"log\":{\"pages\":[{\"id\":\"]}\\\"\"}],\"entries\":[{\"a\":\"}\\\\\"},\n{\"b\":[1,{}]}],\"creator\":{\"name\":\"T\"},\"comment\":null}, \"n\": -1.5e3}\n",
    );
    assert_eq!(entries, ["{\"a\":\"}\\\\\"}", "{\"b\":[1,{}]}"]);
    assert_eq!(
        (end.truncated, end.log, end.entries, end.creator.as_slice()),
        (false, true, true, &b"{\"name\":\"T\"}"[..])
    );
}

#[test]
fn a_jsonp_wrapper_and_a_second_document_are_taken() {
    let (entries, end) =
        ends("onInputData({\"log\":{\"entries\":[{\"a\":1}]}});\n{\"log\":{\"entries\":[{\"b\":2}]}}");
    assert_eq!(
        (entries.as_slice(), end.truncated),
        (&["{\"a\":1}".to_owned(), "{\"b\":2}".to_owned()][..], false)
    );
}

#[test]
fn what_is_no_entry_is_counted() {
    let big = format!("{{\"log\":{{\"entries\":[1, null,\"x\",[{{}}],{{\"a\":\"{}\"}},{{}}", "y".repeat(300));
    let (entries, end) = ends(&big);
    let lost = |why: &str| format!("lost: {why}");
    let not = lost("not an object");
    assert_eq!(
        entries,
        [not.clone(), not.clone(), not.clone(), not, lost("larger than an entry may be"), "{}".into()]
    );
    assert!(end.truncated && !end.inside_entry);
}

#[test]
fn depth_costs_nothing() {
    let deep = "[".repeat(100_000);
    let (entries, end) = ends(&format!("{{\"log\":{{\"x\":{deep}"));
    assert!(entries.is_empty() && end.truncated);
    let (entries, end) = ends(&format!("{{\"log\":{{\"entries\":[{{\"x\":{deep}"));
    assert!(entries.is_empty() && end.inside_entry);
}

#[test]
fn what_is_not_a_har_is_refused_with_a_reason() {
    for (bytes, why) in [
        (&b""[..], "empty"),
        (b"\xEF\xBB\xBF  \n", "empty"),
        (b"<html>", "markup"),
        (b"[{}]", "array"),
        (b"PK\x03\x04", "zip"),
        (b"\xFF\xFE{\0\"\0", "UTF-16"),
        (b"{\0\"\0", "UTF-16"),
        (b"hello {}", "callback"),
        (b"{\"log\":{\"a\":1 xxx}}", "found `x`"),
        (b"{\"log\":{\"entries\":[{} ? ]}}", "found `?`"),
    ] {
        let error = split(bytes, 3).1.unwrap_err();
        assert!(error.what.contains(why), "{error}");
    }
}

proptest! {
    /// How the bytes arrive makes no difference to what is found.
    #[test]
    fn any_chunking_gives_the_same(
        bodies in prop::collection::vec("[{}\\[\\]\"\\\\,:a é]{0,30}", 0..6),
        tail in "[{}\\[\\]\",: ]{0,12}",
        cut in 0usize..200,
        step in 1usize..64,
    ) {
        let entries: Vec<_> = bodies.iter().map(|b| serde_json::json!({"b": b, "c": [b]}).to_string()).collect();
        let text = format!("{{\"log\":{{\"entries\":[{}]{tail}", entries.join(","));
        let bytes = &text.as_bytes()[..text.len().saturating_sub(cut % text.len())];
        prop_assert_eq!(split(bytes, step), split(bytes, usize::MAX));
        let whole = split(text.as_bytes(), step).0;
        prop_assert!(whole.starts_with(&entries));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), step in 1usize..40) {
        let _ = split(&bytes, step);
        let _ = split(&[b"{\"log\":{\"entries\":[".as_slice(), &bytes].concat(), step);
    }
}

proptest! {
    #[test]
    fn a_quote_is_found_where_it_is(bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'"'), Just(b'!'), Just(b'#'), Just(b'a')], 0..80)) {
        let naive = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\'));
        prop_assert_eq!(super::to_quote(&bytes), naive);
    }
}
