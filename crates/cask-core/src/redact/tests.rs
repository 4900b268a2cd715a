use proptest::prelude::*;

use super::rules::{self, Place};
use super::*;
use crate::capture::Part;

const DEFAULT: Profile = Profile::DefaultSafe;

/// `{a20}`: 20 letters and digits; `u` upper case and digits, `h` hexadecimal, `d` digits.
fn expand(example: &str, seed: u64) -> String {
    let mut out = String::new();
    let mut rest = example;
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let inner = after.split_once('}').and_then(|(inner, after)| {
            let alphabet: &[u8] = match inner.get(..1)? {
                "a" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
                "u" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
                "h" => b"0123456789abcdef",
                "d" => b"123456789",
                _ => return None,
            };
            Some((alphabet, inner.get(1..)?.parse::<usize>().ok()?, after))
        });
        match inner {
            Some((alphabet, count, after)) => {
                for place in 0..count {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    // Every secret mixes its classes, as long ones do by chance.
                    let pick = match (place, alphabet.len()) {
                        (0, 62) => 5,
                        (1, 62) => 57,
                        (2, 62) => 30,
                        _ => (state >> 16) as usize % alphabet.len(),
                    };
                    out.push(alphabet[pick] as char);
                }
                rest = after;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out + rest
}

#[test]
fn every_shape_fires_and_stays_quiet() {
    let file = rules::read().unwrap();
    assert!(file.shapes.len() < 128, "the set of shapes is a u128");
    let redactor = Redactor::new(Profile::HighRiskPii);
    for shape in &file.shapes {
        assert!(!shape.fires.is_empty() && !shape.quiet.is_empty(), "{} needs examples", shape.id);
        for example in &shape.fires {
            let text = expand(example, 7);
            let clean = redactor.text(&text);
            assert!(clean.contains("[redacted:"), "{}: {text} -> {clean}", shape.id);
            assert_eq!(redactor.text(&clean), clean, "{}: twice", shape.id);
        }
        for example in &shape.quiet {
            let text = expand(example, 7);
            let clean = Redactor::new(DEFAULT).text(&text);
            assert_eq!(clean, text, "{}", shape.id);
        }
    }
}

/// The cheap look at a string's bytes must never keep a shape from being tried: not even where chance, or whoever planted
/// it, made a secret of nothing but small letters.
#[test]
fn no_shape_is_overlooked() {
    let file = rules::read().unwrap();
    let rules = Rules::of(Profile::HighRiskPii);
    let mut tried = 0;
    for example in file.shapes.iter().flat_map(|shape| &shape.fires) {
        let text = small(example);
        let cut = (0..=text.len()).rev().filter_map(|end| text.get(..end));
        for text in cut {
            if rules.shapes.iter().any(|shape| !shape.mixed && shape.regex.is_match(text)) {
                assert!(!is_quiet(text), "{text}");
                tried += 1;
            }
        }
    }
    assert!(tried > 500, "{tried}");
    let redactor = Redactor::new(DEFAULT);
    for secret in [
        "the password is \"correcthorsebattery\"",
        "password 'hunterhunter!' is wrong",
        "<user><password>hunterhunterxml</password></user>",
        "<token>lowercasesecrettoken</token>",
        "passphrase `tulip-anchor-quiet`",
        "[\"password 'listedsecretword' x\"]",
        "glpat-abcdefghijabcdefghij",
        "xoxb-abcdefghij",
    ] {
        assert!(redactor.text(secret).contains("[redacted:"), "{secret}");
    }
}

/// As [`expand`], of small letters alone.
fn small(example: &str) -> String {
    expand(example, 7)
        .chars()
        .map(|char| if char.is_ascii_digit() || char.is_ascii_uppercase() { 'a' } else { char })
        .collect()
}

#[test]
fn every_key_rule_fires_and_stays_quiet() {
    for key in rules::read().unwrap().keys {
        let place = key.places.first().copied().unwrap_or(Place::Body);
        let compiled = Rules::of(Profile::HighRiskPii);
        for name in &key.fires {
            let own = keys::rule(Rules::of(key.profile.unwrap_or(DEFAULT)), name, place);
            assert!(own.is_some_and(|rule| rule.kind == key.kind), "{}: {name} should fire", key.id);
            // Where more rules apply, a broader one may take its place.
            assert!(keys::rule(compiled, name, place).is_some(), "{}: {name} should fire", key.id);
        }
        for name in &key.quiet {
            let rule = keys::rule(compiled, name, place);
            assert!(
                rule.is_none_or(|rule| rule.kind != key.kind || rule.value != key.value),
                "{}: {name} should stay quiet",
                key.id
            );
        }
    }
}

#[test]
fn texts() {
    let default = Redactor::new(DEFAULT);
    for (text, clean) in [
        ("mail ada.o'brien+x@mail.example.co.uk.", "mail [redacted:email]."),
        ("a%40b.example", "[redacted:email]"),
        ("call +1-555-0123-4567 now", "call [redacted:phone] now"),
        ("+49 (0)30 901820", "[redacted:phone]"),
        ("(415) 555-2671", "[redacted:phone]"),
        ("415-555-2671, 4111 1111 1111 1111", "[redacted:phone], [redacted:card]"),
        ("ssn 123-45-6789", "ssn [redacted:ssn]"),
        ("DE89 3704 0044 0532 0130 00", "[redacted:iban]"),
        ("GB82WEST12345698765432!", "[redacted:iban]!"),
        ("https://u:p@h.example/x", "https://[redacted:credential]@h.example/x"),
        (
            "https://h.example/a/ada%40mail.example?code=Ab3dEf6hIj9kLm2n&x=1",
            "https://h.example/a/[redacted:email]?code=[redacted:credential]&x=1",
        ),
        (
            r#"{"user":{"password":"hunter2","n":1}}"#,
            r#"{"user":{"password":"[redacted:credential]","n":1}}"#,
        ),
        (
            "https://h.example/bot987654321:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw8/getMe?x=1",
            "https://h.example/bot[redacted:token]/getMe?x=1",
        ),
        (
            "https://h.example/webhookb2/x/IncomingWebhook/0a1b2c3d4e5f60718293a4b5c6d7e8f9/z",
            "https://h.example/webhookb2/x/IncomingWebhook/[redacted:token]/z",
        ),
        (
            "https://h.example/hooks/ab12/Ab3dEf6hIj9kLm2nOp5q",
            "https://h.example/hooks/ab12/[redacted:token]",
        ),
        ("https://h.example/share/Ab3dEf6hIj9kLm2nOp5q?x=1", "https://h.example/share/[redacted:token]?x=1"),
        (
            "https://h.example/?refresh=Ab3dEf6hIj9kLm2nOp5q",
            "https://h.example/?refresh=[redacted:credential]",
        ),
        ("eyJwYXNzd29yZCI6ICJodW50ZXIyIn0=", "[redacted:credential]"),
        (
            r#"{"k":"password","v":"x1","pw":"y"}"#,
            r#"{"k":"password","v":"[redacted:credential]","pw":"[redacted:credential]"}"#,
        ),
        (r#"bad {"password":"hunter2"}"#, r#"bad {"password":"[redacted:credential]"}"#),
    ] {
        assert_eq!(default.text(text), clean);
    }
    for text in [
        "2025-03-01T12:30:00.000+01:00",
        "11.234.567.8901",
        "550e8400-e29b-41d4-a716-446655440000",
        "12345678-1234-4234-8234-123456789012",
        "507f1f77bcf86cd799439011",
        "4Fh8sK2pQ9xZ7vB1nM3cLw",
        "cus_9aZbY8cX7dW6eV5f",
        "4111111111111111",
        "2aae6c35c94fcfb415dbe95f408b9ce91ee846ed",
        "@user",
        "git clone x@1.2.3",
        "Wed Oct 10 20:19:24 +1000 2018",
        "10.0.0.1:8080",
        "page_token=abc",
        "MDQ6VXNlcjE=",
        "eyJpZCI6MTIzLCJtYWlsIjoiYWRhQG1haWwuZXhhbXBsZSJ9",
        "https://h.example/webhooks/9aZbY8cX7dW6eV5fU4gT3/deliveries",
        "https://h.example/services/9aZbY8cX7dW6eV5fU4gT3",
        "https://h.example/keys/9aZbY8cX7dW6eV5fU4gT3/share",
        "192.168.100.200",
        "query($password: String!) { login(password: $password) { token } }",
        "open",
        "W/\"a1b2c3d4e5f6\"",
        "1718281828459045",
        "https://www.example.test/alpha-bravo/123456?page=2&state=open&key=size",
    ] {
        assert_eq!(default.text(text), text);
    }
    let once = default.text("https://?https://ઓ@=https://");
    assert_eq!(default.text(&once), once, "a placeholder in a name is no name of a credential");
    assert_eq!(Redactor::new(Profile::HighRiskPii).text("from 203.0.113.7"), "from [redacted:ip]");
}

fn bare(path: &str) -> Exchange<'static> {
    Exchange {
        seq: 0,
        method: "GET".into(),
        scheme: crate::capture::Scheme::Https,
        host: "api.example.com".into(),
        path: path.into(),
        query: vec![],
        request: Message::default(),
        status: 200,
        response: Message::default(),
    }
}

#[test]
fn headers_keep_names_and_what_inference_needs() {
    let mut exchange = bare("/v1/users/42");
    let pairs = [
        ("authorization", "Bearer abc", "Bearer [redacted:credential]"),
        ("authorization", "hunter2 rest", "[redacted:credential]"),
        ("cookie", "sid=abc; theme=dark", "sid=[redacted:credential]; theme=[redacted:credential]"),
        ("set-cookie", "sid=abc; HttpOnly", "sid=[redacted:credential]"),
        ("x-api-key", "abc", "[redacted:credential]"),
        ("x-csrf-token", "abc", "[redacted:credential]"),
        ("x-request-id", "abc", "[redacted:header]"),
        ("idempotency-key", "abc", "[redacted:header]"),
        ("content-type", "application/json", "application/json"),
        ("www-authenticate", "Bearer realm=\"ada\"", "Bearer"),
        ("location", "/login?token=abc&page=2", "/login?token=[redacted:credential]&page=2"),
        (
            "link",
            "<https://x.example/?access_token=abc&page=2>; rel=\"next\"",
            "<https://x.example/?access_token=[redacted:credential]&page=2>; rel=\"next\"",
        ),
    ];
    exchange.request.headers =
        pairs.iter().map(|(name, value, _)| ((*name).into(), (*value).into())).collect();
    let redactor = Redactor::new(DEFAULT);
    let clean = redactor.exchange(exchange);
    for ((name, _, want), (_, got)) in pairs.iter().zip(&clean.get().request.headers) {
        assert_eq!(got, want, "{name}");
    }
    assert_eq!(redactor.exchange(clean.clone().into_inner()), clean);
}

#[test]
fn json_by_key_and_by_pair() {
    let text = r#"{"password":"x","pin":1234,"phone":15551234567,"nextPageToken":"abc","token_type":"bearer","headers":[{"name":"Authorization","value":"q"},
        {"name":"accept","value":"q"}],"secrets":{"a":"b"},"password_hash":"z","ada@mail.example":1,"bob@mail.example":2,"credentials":{"password":{"value":"q"},"provider":{"type":"OKTA"}}}"#;
    let want = r#"{"password":"[redacted:credential]","pin":0,"phone":0,"nextPageToken":"abc","token_type":"bearer","headers":[{"name":"Authorization","value":"[redacted:credential]"},{"name":"accept","value":"q"}],"secrets":{"a":"[redacted:credential]"},"password_hash":"[redacted:credential]","[redacted:email]":1,"[redacted:email]#2":2,"credentials":{"password":{"value":"[redacted:credential]"},"provider":{"type":"OKTA"}}}"#;
    let redactor = Redactor::new(DEFAULT);
    let mut json = Json::parse(text).unwrap();
    redactor.json(&mut json);
    assert_eq!(serde_json::to_string(&json).unwrap(), want);
    let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
    redactor.value(&mut value);
    assert_eq!(value, serde_json::from_str::<serde_json::Value>(want).unwrap());
}

/// One secret of each shape, and personal data.
fn secret() -> impl Strategy<Value = String> {
    let mut examples: Vec<String> = rules::read()
        .unwrap()
        .shapes
        .into_iter()
        .filter(|shape| shape.profile.is_none())
        .filter_map(|shape| shape.fires.into_iter().next())
        .filter(|example| {
            example.starts_with(|c: char| !c.is_whitespace())
                && example.contains('{')
                && !example.contains([' ', '=', '"', '/'])
        })
        .collect();
    examples.extend(
        [
            "ada.{h8}@mail.example",
            "+1-555-01{d2}-{d4}",
            "4242-4242-4242-4242",
            "DE89370400440532013000",
            "123-45-6789",
        ]
        .map(str::to_owned),
    );
    (proptest::sample::select(examples), 1_u64..1_000_000).prop_map(|(example, seed)| expand(&example, seed))
}

fn planted(place: usize, secret: &str) -> Exchange<'static> {
    let mut exchange = bare("/v1/things");
    let text = Json::Str(Cow::Owned(secret.to_owned()));
    let member = |name: &'static str, value| Json::Object(vec![(Cow::Borrowed(name), value)]);
    match place {
        0 => exchange.request.headers = vec![("x-anything".into(), secret.into())],
        1 => exchange.request.headers = vec![("cookie".into(), format!("a={secret}"))],
        2 => exchange.query = vec![("q".into(), secret.into())],
        3 => exchange.path = format!("/v1/{secret}/things"),
        4 => exchange.response.body = Body::Json(member("a", Json::Array(vec![member("b", text)]))),
        5 => exchange.request.body = Body::Form(vec![("f".into(), secret.into())]),
        6 => {
            exchange.request.body = Body::Multipart(vec![Part {
                name: "p".into(),
                file: false,
                media: String::new(),
                value: Some(secret.to_owned().into()),
            }]);
        }
        7 => {
            exchange.response.body =
                Body::Json(member("note", Json::Str(format!("it is {secret}, really").into())))
        }
        8 => {
            exchange.response.body = Body::Json(member(
                "inner",
                Json::Str(serde_json::to_string(&member("x", text)).unwrap().into()),
            ))
        }
        9 => {
            exchange.response.body =
                Body::Json(member("link", Json::Str(format!("https://x.example/a?b={secret}").into())))
        }
        10 => exchange.response.body = Body::Json(Json::Object(vec![(secret.to_owned().into(), Json::Null)])),
        11 => {
            exchange.response.headers = vec![("location".into(), format!("https://x.example/{secret}?q=1"))]
        }
        _ => exchange.request.headers = vec![("authorization".into(), secret.into())],
    }
    exchange
}

fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{1,16}",
        "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        "[0-9a-f]{24}",
        "[0-9a-f]{40}",
        "[0-9a-f]{64}",
        "[A-Za-z0-9]{22}",
        "(cus|ch|pi|sub|toke|key|usr|acct)_[A-Za-z0-9]{16}",
        "[a-z]{3,8}-[a-z]{3,8}(-[0-9]{1,2})?",
        "20[12][0-9]-0[1-9]-[12][0-9]",
        "01[0-9A-HJKMNP-TV-Z]{24}",
        "[A-Z]{2,6}-[0-9]{1,5}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_planted_secret_never_survives(place in 0_usize..13, secret in secret()) {
        let redactor = Redactor::new(DEFAULT);
        let clean = redactor.exchange(planted(place, &secret)).into_inner();
        let text = serde_json::to_string(&clean).unwrap();
        prop_assert!(!text.contains(&secret), "{place}: {text}");
        prop_assert_eq!(redactor.exchange(clean.clone()).into_inner(), clean);
    }

    #[test]
    fn a_secret_under_a_telling_name_never_survives(
        name in proptest::sample::select(vec!["password", "clientSecret", "access_token", "api_key", "x-api-key", "privateKey", "user[password]"]),
        secret in "[a-z0-9!?]{7,20}",
    ) {
        let redactor = Redactor::new(DEFAULT);
        let mut exchange = bare("/");
        exchange.query = vec![(name.into(), secret.clone())];
        exchange.request.headers = vec![(name.to_lowercase(), secret.clone())];
        exchange.request.body = Body::Form(vec![(name.into(), secret.clone())]);
        exchange.response.body = Body::Json(Json::Object(vec![(name.into(), Json::Array(vec![Json::Str(secret.clone().into())]))]));
        let text = serde_json::to_string(redactor.exchange(exchange).get()).unwrap();
        prop_assert!(!text.contains(&secret), "{text}");
    }

    #[test]
    fn ids_survive(id in id()) {
        let mut exchange = bare(&format!("/v1/users/{id}/items"));
        exchange.query = vec![("id".into(), id.clone()), ("page_token".into(), id.clone())];
        exchange.response.body = Body::Json(Json::Object(
            ["id", "user_id", "key", "node_id", "cursor", "nextPageToken", "etag", "sha"].map(|name| (name.into(), Json::Str(id.clone().into()))).into(),
        ));
        let clean = Redactor::new(DEFAULT).exchange(exchange.clone());
        prop_assert_eq!(clean.get(), &exchange);
    }

    #[test]
    fn any_text_twice_is_once(text in "(\\PC|[0-9@+.:=-]|password|token|Bearer |https://|eyJ){0,60}") {
        let redactor = Redactor::new(Profile::HighRiskPii);
        let once = redactor.text(&text).into_owned();
        prop_assert_eq!(redactor.text(&once), once.as_str());
    }
}
