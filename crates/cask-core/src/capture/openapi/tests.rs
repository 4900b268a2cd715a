use super::*;

/// `cases/openapi/<name>/in.{json,yaml}` against `expected.json`; `UPDATE=1` accepts.
#[test]
fn every_case_reads_as_expected() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/cases/openapi");
    let mut directories: Vec<_> =
        std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    directories.sort();
    assert!(directories.len() >= 5);
    for directory in directories {
        let name = ["in.json", "in.yaml"].into_iter().find(|name| directory.join(name).exists()).unwrap();
        let text = std::fs::read_to_string(directory.join(name)).unwrap();
        let description = read(&text, name, Some("given.example.com")).unwrap();
        let notes: Vec<String> =
            description.notes.iter().map(|note| format!("{}: {}", note.pointer, note.message)).collect();
        let shown = serde_json::json!({
            "title": description.title, "version": description.version, "notes": notes,
            "endpoints": description.endpoints,
        });
        let mut shown = serde_json::to_string_pretty(&shown).unwrap();
        shown.push('\n');
        let file = directory.join("expected.json");
        if std::env::var("UPDATE").is_ok() {
            std::fs::write(&file, shown).unwrap();
        } else {
            assert_eq!(std::fs::read_to_string(&file).unwrap_or_default(), shown, "{}", file.display());
        }
    }
}

fn refusal(text: &str) -> String {
    read(text, "api", None).unwrap_err().to_string()
}

#[test]
fn hostile_texts_are_refused_with_their_place() {
    let deep_json = format!("{{\"openapi\":\"3.0.0\",\"x\":{}", "[".repeat(100_000));
    assert!(refusal(&deep_json).starts_with("api:1: recursion limit"), "{}", refusal(&deep_json));
    let deep_flow = format!("openapi: 3.0.0\nx: {}", "[".repeat(100_000));
    assert!(refusal(&deep_flow).starts_with("api:2:"), "{}", refusal(&deep_flow));
    let mut deep_block = String::from("openapi: 3.0.0\n");
    for depth in 0..2_000 {
        deep_block.push_str(&" ".repeat(depth));
        deep_block.push_str("a:\n");
    }
    assert!(refusal(&deep_block).contains("depth"), "{}", refusal(&deep_block));

    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let start = std::time::Instant::now();
    assert!(refusal(&bomb).contains("alias"), "{}", refusal(&bomb));
    assert!(start.elapsed().as_secs() < 5);

    assert!(refusal("openapi: 3.0.0\ninfo: {}\ninfo: {}\n").starts_with("api:3:"));
    let twice = refusal(r#"{"openapi":"3.0.0","paths":{"/a":{"get":{},"get":{}}},"paths":{}}"#);
    assert_eq!(
        twice,
        "api#: the member `paths` is there twice\napi#/paths/~1a: the member `get` is there twice"
    );
    for text in [
        "",
        "just words",
        "[]",
        "{\"openapi\": \"3.0.0\"",
        "openapi: 4.0.0",
        "swagger: '1.2'",
        "\u{0}",
        "null",
    ] {
        assert!(refusal(text).starts_with("api:"), "{text:?}: {}", refusal(text));
    }
    assert_eq!(refusal("openapi: 3.0.0\npaths: {}"), "api#/paths: there are no operations");
    let homeless = "openapi: 3.0.0\nservers: [{url: /v1}]\npaths: {/a: {get: {responses: {}}}}";
    assert_eq!(refusal(homeless), "api: its servers name no host; say which one with `-a HOST`");
}

/// A small text that would be an endless or a huge schema stays bounded and fast.
#[test]
fn schemas_that_explode_are_cut() {
    let mut wide =
        String::from("openapi: 3.0.0\nservers: [{url: 'https://a.example.com'}]\ncomponents:\n  schemas:\n");
    for level in 0..30 {
        wide.push_str(&format!("    S{level}: {{type: object, properties: {{"));
        for property in 0..10 {
            wide.push_str(&format!(
                "p{property}: {{$ref: '#/components/schemas/S{}'}}, ",
                (level + property) % 30
            ));
        }
        wide.push_str("}}\n");
    }
    wide.push_str("paths:\n");
    for path in 0..60 {
        wide.push_str(&format!(
            "  /p{path}: {{post: {{requestBody: {{content: {{application/json: {{schema: {{$ref: '#/components/schemas/S{}'}}}}}}}}, responses: {{}}}}}}\n",
            path % 30
        ));
    }
    let description = read(&wide, "wide.yaml", None).unwrap();
    assert_eq!(description.endpoints.len(), 60);
    let nodes: usize = description
        .endpoints
        .iter()
        .map(|one| one.request.values().map(|p| count(&p.schema)).sum::<usize>())
        .sum();
    assert!(nodes <= 60 * 2_000, "{nodes}");
    assert!(description.notes.iter().any(|note| note.message.contains("left open")));
}

fn count(schema: &crate::endpoint::Schema) -> usize {
    let inner = schema.properties.values().map(|property| &*property.schema).chain(schema.items.as_deref());
    1 + inner.chain(schema.additional.as_deref()).chain(&schema.any_of).map(count).sum::<usize>()
}

/// The same description in another order of its members says the same.
#[test]
fn the_order_of_members_does_not_matter() {
    fn reversed(json: &Json<'_>) -> Json<'static> {
        match json {
            Json::Object(members) => Json::Object(
                members
                    .iter()
                    .rev()
                    .map(|(name, value)| (name.clone().into_owned().into(), reversed(value)))
                    .collect(),
            ),
            Json::Array(items) => Json::Array(items.iter().map(reversed).collect()),
            other => other.clone().into_owned(),
        }
    }
    for case in ["features-3.1", "swagger-2"] {
        let root = format!("{}/cases/openapi/{case}", env!("CARGO_MANIFEST_DIR"));
        let name = if case == "swagger-2" { "in.yaml" } else { "in.json" };
        let text = std::fs::read_to_string(format!("{root}/{name}")).unwrap();
        let tree = document::parse(&text, name).unwrap();
        let forth = serde_json::to_string(&tree).unwrap();
        let back = serde_json::to_string(&reversed(&tree)).unwrap();
        assert_eq!(
            read(&forth, "a", Some("x.test")).unwrap(),
            read(&back, "a", Some("x.test")).unwrap(),
            "{case}"
        );
    }
}

#[test]
fn hostile_words_become_plain_ones() {
    assert_eq!(shown("a\u{202e}b\n\n c\u{1b}[31m\u{200b}\u{e0041} d  ", 100), "ab c[31m d");
    assert_eq!(shown("abcdef", 3), "abc…");
}

#[test]
fn a_key_in_a_header_of_the_gateway_is_left_out() {
    for (header, kept) in [
        ("Host", false),
        ("Content-Length", false),
        ("X-HTTP-Method-Override", false),
        ("x_forwarded_host", false),
        ("X-Api-Key", true),
        ("Authorization", true),
    ] {
        let text = format!(
            r#"{{"openapi":"3.1.0","info":{{"title":"x","version":"1"}},"servers":[{{"url":"https://api.example.com"}}],
            "components":{{"securitySchemes":{{"k":{{"type":"apiKey","in":"header","name":"{header}"}}}}}},"security":[{{"k":[]}}],
            "paths":{{"/a":{{"get":{{"responses":{{"200":{{"description":"ok"}}}}}}}}}}}}"#
        );
        let description = read(&text, "api", None).unwrap();
        let endpoint = description.endpoints.first().unwrap();
        assert_eq!(!endpoint.auth.is_empty(), kept, "{header}");
        assert_eq!(description.notes.iter().any(|note| note.message.contains("gateway")), !kept, "{header}");
    }
}
