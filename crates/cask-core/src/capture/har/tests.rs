//! Every folder of `cases/capture` has an `in.har` and, in `expected.json`, what it is read as.
//! `UPDATE=1` accepts what is read now.

use std::path::Path;

use serde_json::{Value, json};

use super::*;

fn read(bytes: &[u8]) -> Value {
    let (entries, end) = match read_all(bytes) {
        Ok(read) => read,
        Err(refused) => return json!({ "refused": refused.to_string() }),
    };
    let entries: Vec<Value> = entries
        .into_iter()
        .map(|entry| match entry {
            Ok(exchange) => serde_json::to_value(exchange).unwrap(),
            Err(rule) => json!(rule.code),
        })
        .collect();
    let mut out = json!({ "creator": creator(&end.creator), "entries": entries, "truncated": end.truncated });
    out.sort_all_objects();
    out
}

#[test]
fn cases() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/capture");
    let mut wrong = Vec::new();
    let mut seen = 0;
    for case in std::fs::read_dir(cases).unwrap() {
        let case = case.unwrap().path();
        let Ok(bytes) = std::fs::read(case.join("in.har")) else { continue };
        seen += 1;
        let got = read(&bytes);
        let expected = case.join("expected.json");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&expected, serde_json::to_string_pretty(&got).unwrap() + "\n").unwrap();
        }
        let want: Value = serde_json::from_slice(&std::fs::read(&expected).unwrap()).unwrap();
        if want != got {
            wrong.push(format!("{}: {}", case.display(), serde_json::to_string_pretty(&got).unwrap()));
        }
    }
    assert!(seen > 10 && wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_deep_entry_is_lost_and_the_next_one_is_not() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let good = r#"{"request":{"method":"GET","url":"https://a.test/v1"},"response":{"status":200,"content":{"text":"{}"}}}"#;
    // Where cask looks, depth is refused; where it does not, it is passed over.
    let looked = format!(r#"{{"response":{{"content":{{"text":{deep}}}}}}}"#);
    let ignored = format!(r#"{{"_initiator":{deep},{}"#, good.trim_start_matches('{'));
    let har = format!(r#"{{"log":{{"entries":[{looked},{ignored},{good}]}}}}"#);
    let (entries, _) = read_all(har.as_bytes()).unwrap();
    let kept: Vec<bool> = entries.iter().map(Result::is_ok).collect();
    assert_eq!(kept, [false, true, true]);
    let in_body = format!(r#"{{"log":{{"entries":[{}]}}}}"#, good.replace("\"{}\"", &format!("\"{deep}\"")));
    let (entries, _) = read_all(in_body.as_bytes()).unwrap();
    assert_eq!(entries[0].as_ref().unwrap().response.body, Body::Text(200_000));
}

#[test]
fn a_description_is_told_from_traffic() {
    for description in [
        "openapi: 3.1.0\ninfo: {}",
        "# the API\n---\n\"swagger\": '2.0'",
        "{\"components\": {}",
        "\u{feff}{ \"openapi\":\"3.0.0\"",
    ] {
        assert!(is_description(description.as_bytes()), "{description}");
    }
    for traffic in ["{\"log\":{\"comment\":\"openapi: 3\"}}", "cb({\"log\":1})", "", "{}", "\u{1f}\u{8b}"] {
        assert!(!is_description(traffic.as_bytes()), "{traffic}");
    }
}
