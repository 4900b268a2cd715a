#!/usr/bin/env python3
"""How many drift reports are about something that really differs, whether or not mutate_spec.py logged it.

    drift_truth.py --before SPEC.json --after DRIFTED.json --traffic a.truth.json b.truth.json --items items.jsonl
                   [--log log.json] [--errors N]

mutate_spec.py logs one change per operation, but it also inlines the schema that it changes and cuts it at a depth; and where a
spec's references lead through an operation that is changed, others change with it: objects become strings, members and formats
come and go, and its log names none of that. Here the two documents are compared as gen_har.py plays them: the same merging of
allOf, the same choice of media type, the same cut of what is deep; up to 24 branches of each oneOf or anyOf, and every optional
member.

A report is true if its operation is in one document only, or if every field or parameter that it names differs: in one document
only, or with other types, another enumeration or format, or required in one only. Names are the last components of the paths
that a report quotes (`user.emails[]`) and, where it quotes none, of its JSON pointer.

gen_har.py gives all parameters of one name the kind of id that the first of them asks for, and which comes first depends on the
seed and on what is left of the document: --traffic names the ground truths of both captures, so that a report about an id in a
path is judged by what was sent.

With --log, the ceiling of score_drift.py's precision is printed too: that of a detector which knows both documents and reports
each operation that differs exactly once.
"""
import argparse
import json
import re
from urllib.parse import urlsplit

from gen_har import METHODS, Spec, json_type, load, media, types_of
from score_drift import fits, seg

MAX_DEPTH = 3   # gen_har.py --max-depth
MAX_BRANCHES = 24


class Shape:
    """The fields that bodies of a schema can have: path -> what gen_har.py may send there."""

    def __init__(self, spec):
        self.spec, self.fields = spec, {}

    def variants(self, schema, depth):
        """The schema with each of its oneOf and anyOf branches."""
        flat = self.spec.flat(schema)
        for alt in ("oneOf", "anyOf"):
            if flat.get(alt):
                rest = {k: v for k, v in flat.items() if k not in ("oneOf", "anyOf", "discriminator")}
                options = [o for o in flat[alt] if self.spec.deref(o).get("type") != "null"] or flat[alt]
                if depth >= MAX_DEPTH:
                    options = [o for o in options if types_of(self.spec.flat(o))[0][:1] not in (["object"], ["array"])] or options
                for option in options[:MAX_BRANCHES]:
                    picked = self.spec.flat(option)
                    merged = {**rest, **picked}
                    if rest.get("properties") and picked.get("properties"):
                        merged["properties"] = {**rest["properties"], **picked["properties"]}
                    yield from self.variants(merged, depth) if "oneOf" in picked or "anyOf" in picked else [merged]
                return
        yield flat

    def walk(self, schema, name, path, depth, required):
        for s in self.variants(schema, depth):
            types, nullable = types_of(s)
            field = self.fields.setdefault(path, {"types": set(), "required": True, "enum": set(), "format": set()})
            field["required"] &= required
            if nullable and path != "$" and (not s.get("enum") or None in s["enum"]):
                field["types"].add("null")
            if "const" in s:
                field["types"].add(json_type(s["const"]))
            elif s.get("enum"):
                values = [value for value in s["enum"] if value is not None]
                field["types"] |= {json_type(value) for value in values}
                field["enum"] |= {value for value in values if isinstance(value, str)}
            else:
                for t in types or ["object" if depth < 2 and not name else "string"]:
                    field["types"].add(t)
                    if t == "object":
                        self.members(s, path, depth)
                    elif t == "array" and depth <= MAX_DEPTH + 1:
                        self.walk(s.get("items") or {}, name, path + "[]", depth + 1, True)
                    elif t == "string" and s.get("format"):
                        field["format"].add(s["format"])

    def members(self, s, path, depth):
        properties, required = s.get("properties") or {}, set(s.get("required") or [])
        for key, sub in properties.items():
            deep = depth >= MAX_DEPTH and self.composite(sub)
            if (key in required and depth <= MAX_DEPTH + 3) or not deep:
                self.walk(sub, key, f"{path}.{key}", depth + 1, key in required)
        more = s.get("additionalProperties")
        if isinstance(more, dict) and not properties and depth <= MAX_DEPTH:
            self.walk(more, "", path + ".*", depth + 1, False)

    def composite(self, schema):
        s = self.spec.flat(schema)
        if types_of(s)[0][:1] in (["object"], ["array"]):
            return True
        options = s.get("oneOf") or s.get("anyOf") or []
        return bool(options) and all(types_of(self.spec.flat(o))[0][:1] in (["object"], ["array"]) for o in options)


def shape(spec, schema):
    shape = Shape(spec)
    shape.walk(schema, "", "$", 0, True)
    return shape.fields


def operations(path):
    """(method, anonymous path) -> the fields of its parameters, request and answers, by where they are."""
    spec, found = Spec(load(path)), {}
    for template, item in spec.doc["paths"].items():
        item = spec.deref(item)
        for method in METHODS:
            if not isinstance(item.get(method), dict):
                continue
            op, fields = item[method], {}
            for parameter in map(spec.deref, (item.get("parameters") or []) + (op.get("parameters") or [])):
                if parameter.get("in") == "query":
                    s = spec.flat(parameter.get("schema") or {})
                    what = {"types": set(types_of(s)[0]), "required": bool(parameter.get("required")), "enum": s.get("enum"), "format": None}
                    fields["query", f"$.{parameter['name']}"] = what
            mt, schema = media(spec.deref(op.get("requestBody") or {}).get("content"))
            if mt and ("json" in mt or "urlencoded" in mt):
                fields |= {("request", at): field for at, field in shape(spec, schema).items()}
            for status, answer in (op.get("responses") or {}).items():
                mt, schema = media(spec.deref(answer).get("content"))
                if mt and "json" in mt:
                    fields |= {(str(status), at): field for at, field in shape(spec, schema).items()}
            found.setdefault((method.upper(), "/".join(seg(template.split("#")[0].split("?")[0]))), {}).update(fields)
    return found


def named(text):
    """The fields that a report names: last components of the quoted paths, else of the pointer."""
    quoted = re.findall(r"(?:field|parameter) `([^`]+)`", text)
    pointer = next(iter(text.split()[1:2]), "")
    paths = quoted or [pointer.replace("~1", "\x00").replace("/", ".").replace("\x00", "/").replace("~0", "~")]
    return {re.sub(r"(\[\]|\.\*)+$", "", path).split(".")[-1].removesuffix("[]") for path in paths}


def differences(before, after):
    """Last components of the paths of the fields that are not the same in both."""
    differ = {at for at in before.keys() | after.keys() if before.get(at) != after.get(at)}
    return {re.sub(r"(\[\]|\.\*)+$", "", path).split(".")[-1] for _, path in differ}


def sent(path):
    """(method, anonymous path) -> the kinds of ids in the paths that were sent."""
    found = {}
    for o in json.load(open(path))["operations"]:
        found[o["method"], "/".join(seg(o["template"]))] = [(p["style"], p["type"]) for p in o["path_params"].values()]
    return found


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--before", required=True)
    ap.add_argument("--after", required=True)
    ap.add_argument("--traffic", nargs=2, required=True, metavar="TRUTH")
    ap.add_argument("--items", required=True)
    ap.add_argument("--log", help="what mutate_spec.py logged")
    ap.add_argument("--errors", type=int, default=0, help="show so many reports that nothing explains")
    args = ap.parse_args()
    before, after = operations(args.before), operations(args.after)
    keys = before.keys() | after.keys()
    differ = {key: differences(before.get(key, {}), after.get(key, {})) for key in keys}
    base = urlsplit((load(args.before).get("servers") or [{}])[0].get("url", "")).path.rstrip("/")
    whole = lambda key: (key[0], "/".join(seg(f"{base}/{key[1]}")))  # noqa: E731
    ids_before, ids_after = map(sent, args.traffic)
    other_ids = {key for key in ids_before.keys() & ids_after.keys() if ids_before[key] != ids_after[key]}
    items, wrong = [json.loads(line) for line in open(args.items)], []
    for item in items:
        near = [key for key in keys if key[0] == item["method"].upper() and fits(key[1], item["path"])]
        about_id = "/request/path/" in item["text"]
        if not any(key not in before or key not in after or about_id and whole(key) in other_ids
                   or named(item["text"]) <= differ[key] for key in near):
            wrong.append(item)
    print(f"reports {len(items)}  true {len(items) - len(wrong)}  precision {(len(items) - len(wrong)) / max(1, len(items)):.3f}")
    if args.log:
        logged = {(change["method"], "/".join(seg(change["template"]))) for change in json.load(open(args.log))}
        changed = {key for key in keys if key not in before or key not in after or differ[key]}
        print(f"operations that differ {len(changed)}  of them logged {len(changed & logged)}  ceiling {len(changed & logged) / max(1, len(changed)):.3f}")
    for item in wrong[:args.errors]:
        print(f"  nothing explains: {item['severity']} {item['method']} {item['path']}: {item['text'][:300]}")


if __name__ == "__main__":
    main()
