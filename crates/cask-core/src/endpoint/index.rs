//! Which of many templates a path may fit, without asking each of them.

use std::collections::BTreeMap;

use super::{Segment, Template};

/// Templates by their literal segments.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Index {
    literals: BTreeMap<Box<str>, Index>,
    /// Below a segment with a parameter, whatever stands around it.
    param: Option<Box<Index>>,
    /// Numbers of the templates that end here.
    here: Vec<usize>,
}

impl Index {
    /// An index of templates by their position.
    pub fn of<'t>(templates: impl IntoIterator<Item = &'t Template>) -> Self {
        let mut root = Self::default();
        for (at, template) in templates.into_iter().enumerate() {
            let end = template.segments().iter().fold(&mut root, |node, segment| match segment {
                Segment::Literal(text) => node.literals.entry(text.as_str().into()).or_default(),
                Segment::Param { .. } => node.param.get_or_insert_default(),
            });
            end.here.push(at);
        }
        root
    }

    /// The positions of all templates that a path may fit, ascending. Whether it does, the template says.
    #[must_use]
    pub fn candidates(&self, path: &str) -> Vec<usize> {
        let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
        let mut found = Vec::new();
        self.collect(&segments, &mut found);
        found.sort_unstable();
        found
    }

    fn collect(&self, segments: &[&str], found: &mut Vec<usize>) {
        let Some((first, rest)) = segments.split_first() else {
            found.extend(&self.here);
            return;
        };
        let below = self.literals.get(*first).into_iter().chain(self.param.as_deref());
        below.for_each(|below| below.collect(rest, found));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_template_that_fits_is_missed() {
        let texts = ["/", "/a", "/a/{x}", "/a/b", "/{y}/b", "/a/{x}.json", "/a/{x}/c", "/{x}"];
        let templates: Vec<Template> = texts.iter().map(|text| Template::parse(text).unwrap()).collect();
        let index = Index::of(&templates);
        for path in ["/", "/a", "/a/", "/a/b", "/a/1.json", "/z/b", "/a/b/c", "/q", "/a/b/c/d", ""] {
            let found = index.candidates(path);
            let all = (0..templates.len()).filter(|at| templates[*at].matches(path));
            assert!(all.clone().all(|at| found.contains(&at)), "{path}: {found:?}");
        }
        assert_eq!(index.candidates("/a/b"), [2, 3, 4, 5]);
        assert!(index.candidates("/a/b/d").is_empty());
    }
}
