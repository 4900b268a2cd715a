//! Names, hosts and paths that changed are said once.

use super::*;

/// Tools of one service that differ in what they call.
fn tools(count: usize, host: &str, prefix: &str) -> Vec<Value> {
    (0..count)
        .map(|number| {
            let mut tool = tool();
            for (pointer, new) in [
                ("/name", json!(format!("get_thing_{number:04}"))),
                ("/title", json!(format!("Get thing {number:04}"))),
                ("/binding/http/host", json!(host)),
                ("/binding/http/path", json!(format!("{prefix}/things_{number:04}/{{user_id}}"))),
                ("/evidence/endpoint", json!(format!("ep_{host}{prefix}{number:04}"))),
            ] {
                tool = with(tool, pointer, &new);
            }
            tool
        })
        .collect()
}

fn v1(count: usize) -> Surface {
    of(tools(count, "api.example.com", "/v1"))
}

pub(super) fn cases() -> Vec<(Surface, Surface)> {
    let renamed = with(tool(), "/name", &json!("fetch_user"));
    vec![
        (of(vec![tool()]), of(vec![renamed])),
        (surface(tool()), surface(argument("user_id", "id"))),
        (v1(3), of(tools(3, "api.example.net", "/v1"))),
        (v1(3), of(tools(3, "api.example.com", "/v2"))),
    ]
}

/// The tool with an argument of another name that goes to the same place.
fn argument(old: &str, new: &str) -> Value {
    let mut tool = tool();
    let schema = tool["input_schema"]["properties"][old].clone();
    let place = tool["binding"]["http"]["args"][old].clone();
    for (pointer, value) in [
        (format!("/input_schema/properties/{old}"), Value::Null),
        (format!("/input_schema/properties/{new}"), schema),
        (format!("/binding/http/args/{old}"), Value::Null),
        (format!("/binding/http/args/{new}"), place),
    ] {
        tool = with(tool, &pointer, &value);
    }
    let required = tool["input_schema"]["required"].as_array_mut().unwrap();
    required.iter_mut().filter(|name| name.as_str() == Some(old)).for_each(|name| *name = json!(new));
    tool
}

#[test]
fn a_tool_under_another_name_is_one_finding_and_its_toolsets_stay() {
    let before = of(vec![tool()]);
    let renamed = with(tool(), "/name", &json!("fetch_user"));
    let found = findings(&before, &of(vec![renamed.clone()]));
    assert_eq!(found.iter().map(|one| one.code).collect::<Vec<_>>(), ["tool-renamed"]);
    assert_eq!(found[0].at.subject, "tool/fetch_user");
    assert_eq!((&found[0].before, &found[0].after), (&Some(json!("get_user")), &Some(json!("fetch_user"))));
    // a title that spells the name goes with it, another one does not
    let spelled = with(renamed.clone(), "/title", &json!("Fetch user"));
    assert_eq!(codes(&before, &of(vec![spelled])), ["tool-renamed"]);
    let titled = with(renamed.clone(), "/title", &json!("Harmless"));
    assert_eq!(codes(&before, &of(vec![titled])), ["tool-renamed", "tool-title-changed"]);
    // what else differs is said besides
    let more = with(renamed.clone(), "/input_schema/properties/all", &json!({ "type": "boolean" }));
    assert_eq!(codes(&before, &of(vec![more])), ["tool-renamed", "argument-added"]);
    // parameters of the path may have other names; another document is another call
    let other = with(renamed.clone(), "/binding/http/body/fixed/query", &json!("mutation M { a }"));
    let other = with(other, "/evidence/endpoint", &json!("ep_1"));
    let found = codes(&before, &of(vec![other]));
    assert!(found.contains(&"tool-added") && found.contains(&"tool-removed"), "{found:?}");
    // by its evidence, where only that is the same
    let moved = with(renamed, "/binding/http/path", &json!("/people/{user_id}"));
    assert_eq!(codes(&before, &of(vec![moved])), ["tool-renamed", "tool-path-changed"]);
}

#[test]
fn a_name_is_paired_only_where_there_is_no_doubt() {
    let named = |name: &str| with(tool(), "/name", &json!(name));
    // two that are gone and two that are new call the same
    let found = codes(&of(vec![named("a"), named("b")]), &of(vec![named("c"), named("d")]));
    assert!(!found.contains(&"tool-renamed"), "{found:?}");
    // one of them can be told by what it sends
    let page = |name: &str| with(named(name), "/binding/http/args/sort/name", &json!("order"));
    let page = |name: &str| with(page(name), "/evidence/endpoint", &json!("ep_2"));
    let found = codes(&of(vec![named("a"), page("b")]), &of(vec![named("c"), page("d")]));
    assert_eq!(found, ["tool-renamed", "tool-renamed"]);
}

#[test]
fn an_argument_under_another_name_is_one_finding() {
    assert_eq!(codes(&surface(tool()), &surface(argument("sort", "order"))), ["argument-renamed"]);
    // with the parameter of the path
    let id = argument("user_id", "id");
    assert_eq!(codes(&surface(tool()), &surface(id.clone())), ["argument-renamed"]);
    let id = with(id, "/binding/http/path", &json!("/users/{id}"));
    let id = with(id, "/binding/http/args/id/name", &json!("id"));
    assert_eq!(codes(&surface(tool()), &surface(id.clone())), ["argument-renamed"]);
    assert_eq!(codes(&surface(id.clone()), &surface(tool())), ["argument-renamed"]);
    // what else differs is said besides
    let wide = with(id, "/input_schema/properties/id/maxLength", &json!(80));
    assert_eq!(codes(&surface(tool()), &surface(wide)), ["argument-renamed", "argument-widened"]);
    // another place is another argument
    let other = with(argument("sort", "order"), "/binding/http/args/order/name", &json!("by"));
    assert_eq!(codes(&surface(tool()), &surface(other)), ["argument-added", "argument-removed"]);
    // the same call, spelled in another way
    let path = with(tool(), "/binding/http/path", &json!("/users/{id}"));
    let path = with(path, "/binding/http/args/user_id/name", &json!("id"));
    assert_eq!(codes(&surface(tool()), &surface(path)), ["path-parameter-renamed"]);
}

#[test]
fn another_host_is_said_for_the_tool_and_once_for_the_toolpack() {
    let changed = with(tool(), "/binding/http/host", &json!("evil.example"));
    assert_eq!(codes(&surface(tool()), &surface(changed)), ["tool-host-changed", "host-added"]);
}

#[test]
fn a_host_that_moved_as_a_whole_is_one_finding() {
    let moved = of(tools(12, "api.example.net", "/v1"));
    let found = findings(&v1(12), &moved);
    assert_eq!(found.iter().map(|one| one.code).collect::<Vec<_>>(), ["host-moved"]);
    assert_eq!(found[0].severity, Severity::Breaking);
    assert_eq!(class(&found[0]), Some(Class::NewHost));
    assert_eq!(found[0].details.join(", ").matches("get_thing_").count(), 12);
    // what else differs in one of them is said
    let mut other = tools(12, "api.example.net", "/v1");
    other[3] = with(other[3].clone(), "/effect", &json!("admin"));
    assert_eq!(codes(&v1(12), &of(other)), ["tool-effect-destructive", "host-moved"]);
    // one that stayed: no whole
    let mut part = tools(12, "api.example.net", "/v1");
    part[0] = tools(1, "api.example.com", "/v1").remove(0);
    let found = codes(&v1(12), &of(part));
    assert_eq!(found.iter().filter(|code| **code == "tool-host-changed").count(), 11);
    assert!(found.contains(&"host-added") && !found.contains(&"host-moved"));
}

#[test]
fn a_prefix_that_moved_as_a_whole_is_one_finding() {
    let found = findings(&v1(12), &of(tools(12, "api.example.com", "/v2")));
    assert_eq!(found.iter().map(|one| one.code).collect::<Vec<_>>(), ["path-prefix-moved"]);
    assert_eq!((&found[0].before, &found[0].after), (&Some(json!("/v1/")), &Some(json!("/v2/"))));
    assert_eq!(codes(&v1(12), &of(tools(12, "api.example.net", "/v2"))), ["host-moved", "path-prefix-moved"]);
    assert_eq!(
        codes(&of(tools(3, "a.example", "")), &of(tools(3, "a.example", "/api"))),
        ["path-prefix-moved"]
    );
    // one below the old prefix stayed, or too few moved
    let mut part = tools(4, "api.example.com", "/v2");
    part[0] = tools(1, "api.example.com", "/v1").remove(0);
    assert_eq!(codes(&v1(4), &of(part)), ["tool-path-changed"; 3]);
    assert_eq!(codes(&v1(2), &of(tools(2, "api.example.com", "/v2"))), ["tool-path-changed"; 2]);
}

#[test]
fn a_thousand_tools_that_moved_are_one_finding_and_renamed_ones_are_each() {
    let moved = findings(&v1(1_000), &of(tools(1_000, "api.example.net", "/v1")));
    assert_eq!(moved.len(), 1);
    assert!(moved[0].details.last().unwrap().contains("950 more"), "{:?}", moved[0].details);
    let renamed: Vec<Value> = tools(1_000, "api.example.com", "/v1")
        .into_iter()
        .map(|tool| {
            let name = tool["name"].as_str().unwrap().replace("get", "fetch");
            with(tool, "/name", &json!(name))
        })
        .collect();
    let found = codes(&v1(1_000), &of(renamed));
    assert_eq!(found.iter().filter(|code| **code == "tool-renamed").count(), 1_000);
    assert!(!found.contains(&"tool-added") && !found.contains(&"toolset-member-added"));
}
