use proptest::prelude::*;

use crate::capture::{Body, Exchange, Message, Scheme};
use crate::json::Json;
use crate::redact::{Profile, Redacted, Redactor};

use super::*;

fn call(seq: u64, method: &str, path: &str, status: u16, answer: &str) -> Redacted<Exchange<'static>> {
    let body =
        if answer.is_empty() { Body::None } else { Body::Json(Json::parse(answer).unwrap().into_owned()) };
    let message = Message { headers: Vec::new(), media: "application/json".into(), body };
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let query =
        query.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.into(), v.into())).collect();
    Redactor::new(Profile::DefaultSafe).exchange(Exchange {
        seq,
        method: method.into(),
        scheme: Scheme::Https,
        host: "api.example.com".into(),
        path: path.into(),
        query,
        request: Message::default(),
        status,
        response: message,
    })
}

/// A small service: users by uuid and by name, orders by number, a version and a keyword that stay.
fn traffic() -> Vec<Redacted<Exchange<'static>>> {
    let mut calls = Vec::new();
    for i in 0..120_u64 {
        let id = format!("0b{i:06x}-1111-4222-8333-444455556666");
        let user = format!(r#"{{"id":"{id}","email":"u{i}@mail.example","age":{i},"tags":["a","b"]}}"#);
        calls.push(call(i * 4, "GET", &format!("/api/3/users/{id}"), 200, &user));
        calls.push(call(i * 4 + 1, "GET", "/api/3/users?limit=5", 200, &format!(r#"{{"users":[{user}]}}"#)));
        calls.push(call(i * 4 + 2, "GET", "/api/3/users/me", 200, &user));
        calls.push(call(i * 4 + 3, "DELETE", &format!("/api/3/orders/{}", 5000 + i), 204, ""));
    }
    calls
}

fn summary<'a>(calls: impl IntoIterator<Item = &'a Redacted<Exchange<'static>>>) -> Summary {
    let mut all = Summary::new();
    calls.into_iter().for_each(|call| all.observe(call));
    all
}

fn paths(endpoints: &[Endpoint]) -> Vec<String> {
    endpoints.iter().map(|e| format!("{} {}", e.method, e.template)).collect()
}

#[test]
fn learns_values_and_keeps_words() {
    let endpoints = summary(&traffic()).endpoints(&[]);
    assert_eq!(
        paths(&endpoints),
        [
            "DELETE /api/3/orders/{order_id}",
            "GET /api/3/users",
            "GET /api/3/users/me",
            "GET /api/3/users/{user_id}"
        ]
    );
    let get = &endpoints[3];
    let body = &get.responses[&200].content["application/json"].schema;
    assert_eq!(body.properties["email"].schema.format.as_deref(), Some("email"));
    assert!(body.properties.values().all(|field| field.required));
    assert_eq!(get.flows.len(), 0, "the first answer with each id is the item's own");
}

#[test]
fn a_second_look_gives_what_holding_everything_gives() {
    let calls = traffic();
    let whole = summary(&calls).endpoints(&[]);
    let mut lean = Summary::new();
    lean.slim();
    calls.iter().for_each(|call| lean.observe(call));
    assert!(lean.is_lean());
    let templates = lean.into_endpoints(&[]);
    let mut second = Summary::routed(&templates);
    calls.iter().for_each(|call| second.observe(call));
    assert_eq!(second.into_endpoints(&[]), whole);
}

#[test]
fn accepted_templates_do_not_move() {
    let calls = traffic();
    let mut accepted = summary(&calls).endpoints(&[]);
    let ids = |endpoints: &[Endpoint]| endpoints.iter().map(|e| e.id.clone()).collect::<Vec<_>>();
    let before = (paths(&accepted), ids(&accepted));
    let again = summary(&calls).endpoints(&accepted);
    assert_eq!((paths(&again), ids(&again)), before);
    // A word where only uuids went is an operation of its own, below the literals that were accepted.
    accepted.retain(|endpoint| !endpoint.template.to_string().ends_with("/me"));
    let again = summary(&calls).endpoints(&accepted);
    assert_eq!((paths(&again), ids(&again)), before);
}

/// Domains by name, and what answers to each of them.
fn domains(answers: &[(&str, u64, &str)]) -> Summary {
    let mut calls = Vec::new();
    for (name, times, answer) in answers {
        for _ in 0..*times {
            calls.push(call(calls.len() as u64, "GET", &format!("/v2/domains/{name}"), 200, answer));
        }
    }
    summary(&calls)
}

#[test]
fn a_word_that_answers_unlike_an_accepted_endpoint_is_an_operation_that_came_later() {
    let domain = r#"{"domain":{"name":"x"},"ttl":1}"#;
    let names = ["blue-river", "old-barn", "tall-tree", "red-fox"];
    let known: Vec<_> = names.iter().map(|name| (*name, 2, domain)).collect();
    let accepted = domains(&known).endpoints(&[]);
    assert_eq!(paths(&accepted), ["GET /v2/domains/{domain_name}"]);

    let with = |more: &[(&'static str, u64, &'static str)]| {
        let endpoints = domains(&[&known, more].concat()).endpoints(&accepted);
        let again = domains(&[&known, more].concat()).endpoints(&endpoints);
        assert_eq!(again, endpoints, "accepting what came out moves nothing");
        paths(&endpoints)
    };
    let both = ["GET /v2/domains/summary", "GET /v2/domains/{domain_name}"];
    assert_eq!(with(&[("summary", 6, r#"{"count":3}"#)]), both);
    // too few calls to say, nothing in the answer, something of the endpoint's own in it, no word
    assert_eq!(with(&[("summary", 2, r#"{"count":3}"#)]), both[1..]);
    assert_eq!(with(&[("summary", 6, "{}")]), both[1..]);
    assert_eq!(with(&[("summary", 6, r#"{"ttl":2,"count":3}"#)]), both[1..]);
    assert_eq!(with(&[("71", 6, r#"{"count":3}"#)]), both[1..]);
    // several that are alike are values after all, and of the endpoint that is there
    let many = ["a-b", "c-d", "e-f", "g-h", "i-j"].map(|name| (name, 6, r#"{"count":3}"#));
    assert_eq!(with(&many), both[1..]);

    // no neighbour answers as accepted: then the service has changed, which is for drift to say
    let changed: Vec<_> = names.iter().map(|name| (*name, 6, r#"{"count":3}"#)).collect();
    assert_eq!(paths(&domains(&changed).endpoints(&accepted)), both[1..]);
}

/// Every call is in an endpoint, every endpoint has an id of its own, and the same traffic under what was accepted of it
/// is the same endpoints: also where several accepted paths fit the same words and answer differently.
#[test]
fn what_was_accepted_takes_the_same_traffic_again() {
    let (rows, count, domain) = (r#"{"rows":1}"#, r#"{"count":3}"#, r#"{"domain":{"name":"x"},"ttl":1}"#);
    let slugs = ["a-b", "c-d", "e-f", "g-h", "i-j"];
    let known =
        ["blue-river", "old-barn", "tall-tree", "red-fox"].map(|name| (format!("domains/{name}"), 2, domain));
    let files: Vec<_> = (71..74).map(|id| (format!("domains/{id}.json"), 2, rows)).collect();
    let below = |what: &str, end: &str| -> Vec<(String, u64, &'static str)> {
        slugs.iter().map(|slug| (format!("{what}/{slug}{end}"), 6, count)).collect()
    };
    let orgs =
        |org: &str| known.clone().map(|(path, times, answer)| (format!("orgs/{org}/{path}"), times, answer));
    let twenty: Vec<_> = (0..20).map(|n| (format!("domains/x{n}-y"), 2, count)).collect();
    let cases: [(Vec<_>, Vec<_>); 6] = [
        ([files.clone(), below("domains", "")].concat(), Vec::new()),
        (known.to_vec(), below("domains", ".json")),
        (known.to_vec(), below("domains", ":cancel")),
        ([orgs("acme"), orgs("blue-corp"), orgs("red-inc")].concat(), below("orgs/acme/domains", "")),
        ([files, twenty, vec![("domains/one-off".to_owned(), 6, count)]].concat(), Vec::new()),
        (known.to_vec(), (0..120).map(|id| (format!("domains/rust/{id}"), 1, count)).collect()),
    ];
    for (at, (first, more)) in cases.into_iter().enumerate() {
        let mut accepted = Vec::new();
        for calls in [first.clone(), [first, more].concat()] {
            let calls: Vec<_> = calls
                .iter()
                .flat_map(|(path, times, answer)| (0..*times).map(move |_| (path, *answer)))
                .zip(0..)
                .map(|((path, answer), seq)| call(seq, "GET", &format!("/v2/{path}"), 200, answer))
                .collect();
            let endpoints = summary(&calls).endpoints(&accepted);
            let ids: BTreeSet<&str> = endpoints.iter().map(|endpoint| endpoint.id.as_str()).collect();
            assert_eq!(ids.len(), endpoints.len(), "case {at}: {:#?}", paths(&endpoints));
            let observed: u64 = endpoints.iter().map(|endpoint| endpoint.observed).sum();
            assert_eq!(observed, calls.len() as u64, "case {at}: {:#?}", paths(&endpoints));
            assert_eq!(summary(&calls).endpoints(&endpoints), endpoints, "case {at}: minted again");
            let mut lean = Summary::new();
            lean.slim();
            calls.iter().for_each(|call| lean.observe(call));
            let templates = lean.into_endpoints(&accepted);
            let mut second = Summary::routed(&templates);
            calls.iter().for_each(|call| second.observe(call));
            assert_eq!(second.into_endpoints(&accepted), endpoints, "case {at}: a second look");
            accepted = endpoints;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any order, any split, any order of merging: the same summary, byte for byte the same endpoints.
    #[test]
    fn merging_does_not_depend_on_order(order in Just((0..480_usize).collect::<Vec<_>>()).prop_shuffle(), cut in 0..480_usize) {
        let calls = traffic();
        let whole = summary(&calls);
        let (left, right) = order.split_at(cut);
        let mut parts = summary(left.iter().map(|i| &calls[*i]));
        parts.merge(summary(right.iter().map(|i| &calls[*i])));
        prop_assert_eq!(parts.endpoints(&[]), whole.endpoints(&[]));
    }

    /// No path can break learning, and what was learned from a path matches it.
    #[test]
    fn hostile_paths_are_learned_or_left(paths in prop::collection::vec("(/[a-z{}%:@.,0-9-]{0,12}){1,4}", 1..40)) {
        let mut all = Summary::new();
        for (seq, path) in paths.iter().enumerate() {
            all.observe(&call(seq as u64, "GET", path, 200, r#"{"a":1}"#));
        }
        let endpoints = all.endpoints(&[]);
        for endpoint in &endpoints {
            prop_assert_eq!(Template::parse(&endpoint.template.to_string()), Ok(endpoint.template.clone()));
        }
        prop_assert_eq!(endpoints.iter().map(|e| e.observed).sum::<u64>(), paths.len() as u64);
    }
}

#[test]
fn a_header_that_names_another_method_raises_the_effect() {
    let overridden = |method: &str, header: &str| {
        let mut call = call(0, "GET", "/api/items/7", 200, "{}").into_inner();
        call.request.headers = vec![(header.to_owned(), method.to_owned())];
        let mut summary = Summary::new();
        summary.observe(&Redactor::new(Profile::DefaultSafe).exchange(call));
        let endpoint = summary.endpoints(&[]).remove(0);
        (endpoint.method, endpoint.effect)
    };
    let get = "GET".to_owned();
    assert_eq!(overridden("delete", "x-http-method-override"), (get.clone(), Effect::Delete));
    assert_eq!(overridden("PATCH", "x-method-override"), (get.clone(), Effect::Write));
    assert_eq!(overridden("s3cr3t word", "x-http-method"), (get.clone(), Effect::Admin));
    assert_eq!(overridden("GET", "x-http-method"), (get.clone(), Effect::Read));
    assert_eq!(overridden("DELETE", "x-other"), (get, Effect::Read));
}

/// Each of these took minutes when members were compared in pairs.
#[test]
fn bodies_with_very_many_members_are_read() {
    const MANY: usize = 200_000;
    let member = |n: usize| (format!("k{n}").into(), Json::Int(1));
    let by_mail = |n: usize| (format!("ada{n}@mail.example").into(), Json::Int(1));
    let nested = |n: usize| (format!("a[b{n}][c]"), "1".to_owned());
    for body in [
        Body::Json(Json::Object((0..MANY).map(member).collect())),
        Body::Json(Json::Object((0..MANY).map(by_mail).collect())),
        Body::Form((0..MANY).map(|n| (format!("k{n}"), "1".to_owned())).collect()),
        Body::Form((0..MANY).map(nested).collect()),
        Body::Form((0..MANY).map(|n| ("k".to_owned(), n.to_string())).collect()),
    ] {
        let mut exchange = call(0, "POST", "/api/things", 200, "{}").into_inner();
        exchange.request.body = body;
        let mut summary = Summary::new();
        summary.observe(&Redactor::new(Profile::DefaultSafe).exchange(exchange));
        assert_eq!(summary.endpoints(&[]).len(), 1);
    }
}

#[test]
fn a_few_words_at_the_top_stay_words() {
    for paths in [
        &["/orders/123", "/orders/00123", "/posts/spring-sale-2024"][..],
        &["/bearer", "/basic", "/custom", "/cookie"],
    ] {
        let mut summary = Summary::new();
        for (seq, path) in (0..).zip(paths) {
            summary.observe(&call(seq, "GET", path, 200, r#"{"ok":true}"#));
        }
        let learned = summary.endpoints(&[]);
        for endpoint in &learned {
            let first = endpoint.template.segments().first();
            assert!(matches!(first, Some(Segment::Literal(_))), "{}", endpoint.template);
        }
    }
}

/// Learning goes down a path part by part: one of 100,000 parts overflowed the stack.
#[test]
fn a_path_without_an_end_is_left_out() {
    let mut summary = Summary::new();
    summary.observe(&call(0, "GET", &"/a".repeat(100_000), 200, "{}"));
    assert!(summary.endpoints(&[]).is_empty());
    summary.observe(&call(0, "GET", &"/a".repeat(crate::capture::MAX_SEGMENTS), 200, "{}"));
    assert_eq!(summary.endpoints(&[]).len(), 1);
}
