use super::*;
use crate::capture::{Message, Scheme};

fn post(body: &str) -> Exchange<'_> {
    let json = Json::parse(body).unwrap();
    Exchange {
        seq: 0,
        method: "POST".into(),
        scheme: Scheme::Https,
        host: "api.example.com".into(),
        path: "/graphql".into(),
        query: Vec::new(),
        request: Message { body: Body::Json(json), ..Message::default() },
        status: 200,
        response: Message::default(),
    }
}

#[test]
fn the_operation_that_ran_is_told_from_its_siblings() {
    let body = r#"{"operationName":"Set","variables":{"id":"1"},
        "query":"query Get($id: ID!) { node(id: $id) { id } }\n# why\nmutation  Set($id:ID!,$tags:[String!]){ a: update(id:$id) {id}, ...More }\nfragment More on Mutation { touch }"}"#;
    let exchange = post(body);
    let call = call(&exchange).unwrap();
    assert_eq!(call.operation.kind, "mutation");
    assert_eq!(call.operation.name, "Set");
    assert_eq!(call.operation.fields, ["touch", "update"]);
    assert_eq!(
        call.declared,
        [("id".to_owned(), "ID!".to_owned()), ("tags".to_owned(), "[String!]".to_owned())]
    );
    assert!(call.variables.is_some() && !call.literals);
    assert_eq!(
        call.operation.document,
        "query Get($id: ID!) { node(id: $id) { id } } \
         mutation Set($id: ID! $tags: [String!]) { a: update(id: $id) { id } ...More } \
         fragment More on Mutation { touch }"
    );
    // Printing is stable.
    assert_eq!(print(&call.operation.document).0, call.operation.document);
}

#[test]
fn an_anonymous_query_is_named_by_its_root_fields_and_literals_are_flagged() {
    let exchange = post(r#"{"query":"{ user(login: \"octo\") { id } viewer { login } }"}"#);
    let call = call(&exchange).unwrap();
    assert_eq!((call.operation.kind.as_str(), call.operation.name.as_str()), ("query", "user_viewer"));
    assert!(call.literals);
}

#[test]
fn what_does_not_parse_is_an_ordinary_call() {
    let deep = format!(r#"{{"query":"{}"}}"#, "{a".repeat(5000));
    for body in [
        r#"{"query":"red shoes"}"#,
        r#"{"query":"{ user(id: }"}"#,
        r#"{"query":"type A { b: C }"}"#,
        r#"{"query":"query A { a } query B { b }"}"#,
        r#"{"id":"42","name":"x"}"#,
        r#"{"query":5}"#,
        "[]",
        deep.as_str(),
    ] {
        assert_eq!(call(&post(body)), None, "{}", body.chars().take(80).collect::<String>());
    }
}

#[test]
fn persisted_documents_keep_how_they_are_named() {
    let apollo = post(
        r#"{"operationName":"Feed","variables":{},"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ab12"}}}"#,
    );
    let operation = call(&apollo).unwrap().operation;
    assert_eq!((operation.persisted.as_deref(), operation.persisted_as), (Some("ab12"), None));
    assert_eq!(
        (operation.kind.as_str(), operation.name.as_str()),
        ("mutation", "Feed"),
        "over POST it may write"
    );

    let relay = post(r#"{"documentId":"99","variables":{"a":1}}"#);
    let operation = call(&relay).unwrap().operation;
    assert_eq!(
        (operation.persisted_as.as_deref(), operation.name.as_str()),
        (Some("documentId"), "persisted_99")
    );

    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let get = Exchange {
        method: "GET".into(),
        query: vec![
            pair("operationName", "Feed"),
            pair("variables", r#"{"first":3}"#),
            pair("extensions", r#"{"persistedQuery":{"version":1,"sha256Hash":"ab12"}}"#),
        ],
        ..post("{}")
    };
    let call = call(&get).unwrap();
    assert_eq!(call.operation.kind, "query");
    assert_eq!(call.variables.unwrap().get("first"), Some(&Json::Int(3)));
}

#[test]
fn a_batch_is_taken_apart_with_its_answers() {
    let mut batch = post(r#"[{"query":"{ a }"},{"query":"mutation { b }"}]"#);
    batch.response.body = Body::Json(Json::parse(r#"[{"data":{"a":1}},{"data":{"b":2}}]"#).unwrap());
    assert_eq!(call(&batch), None);
    let parts = unbatch(&batch).unwrap();
    let kinds: Vec<String> = parts.iter().map(|part| call(part).unwrap().operation.kind).collect();
    assert_eq!(kinds, ["query", "mutation"]);
    let Body::Json(answer) = &parts[1].response.body else { panic!("no answer") };
    assert_eq!(answer.get("data").and_then(|data| data.get("b")), Some(&Json::Int(2)));
    assert_eq!(unbatch(&post(r#"[{"query":"{ a }"},{"x":1}]"#)), None);
}
