//! A second look at traffic whose templates are known: each exchange goes straight to its endpoint, so that
//! memory grows with the number of endpoints and not with that of concrete paths.

use std::collections::BTreeMap;

use super::Endpoint;
use super::learn::pin::{self, Pin, Pinned};
use super::observed::{Observed, add_to};
use super::traffic::Traffic;

/// Known templates by host, each with what was seen of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Routes {
    hosts: BTreeMap<Box<str>, Vec<Route>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Route {
    pin: Pin,
    ends: BTreeMap<Box<str>, Traffic>,
    values: Vec<Observed>,
}

impl Routes {
    /// Routes to the templates of these endpoints.
    #[must_use]
    pub fn new(endpoints: &[Endpoint]) -> Self {
        let mut hosts = BTreeMap::<Box<str>, Vec<Route>>::new();
        for endpoint in endpoints {
            let routes = hosts.entry(endpoint.host.as_str().into()).or_default();
            if !routes.iter().any(|route| route.pin.template == endpoint.template) {
                let values = vec![Observed::default(); endpoint.template.params().count()];
                routes.push(Route { pin: Pin::of(endpoint), ends: BTreeMap::new(), values });
            }
        }
        for routes in hosts.values_mut() {
            routes.sort_by_cached_key(|route| pin::rank(&route.pin));
        }
        Self { hosts }
    }

    /// Adds the traffic of one call. What fits no template was not there when they were learned and is
    /// dropped.
    pub fn add(&mut self, host: &str, path: &str, end: &str, traffic: Traffic) {
        let Some(routes) = self.hosts.get_mut(host) else { return };
        let fit = routes.iter_mut().find_map(|route| {
            let values = route.pin.values(path)?;
            Some((route, values))
        });
        let Some((route, values)) = fit else { return };
        for (slot, value) in route.values.iter_mut().zip(&values) {
            slot.add_text(value);
        }
        match route.ends.get_mut(end) {
            Some(mine) => mine.merge(traffic),
            None => {
                route.ends.insert(end.into(), traffic);
            }
        }
    }

    /// Adds what other routes to the same templates have seen.
    pub fn merge(&mut self, other: Routes) {
        for (host, theirs) in other.hosts {
            let Some(mine) = self.hosts.get_mut(&host) else {
                self.hosts.insert(host, theirs);
                continue;
            };
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                for (slot, values) in mine.values.iter_mut().zip(theirs.values) {
                    slot.merge(values);
                }
                for (end, traffic) in theirs.ends {
                    add_to(&mut mine.ends, end, traffic, Traffic::merge);
                }
            }
        }
    }

    /// What was seen, by host.
    pub fn into_pinned(self) -> impl Iterator<Item = (Box<str>, Vec<Pinned>)> {
        self.hosts.into_iter().map(|(host, routes)| {
            let pinned = routes.into_iter().map(|route| Pinned {
                template: route.pin.template,
                ends: route.ends,
                values: route.values,
            });
            (host, pinned.collect())
        })
    }
}
