//! A second look at traffic whose templates are known: each exchange goes straight to its endpoint, so that
//! memory grows with the number of endpoints and not with that of concrete paths.

use std::collections::BTreeMap;

use super::Endpoint;
use super::index::Index;
use super::learn::pin::{self, Pin, Pinned};
use super::observed::{Observed, add_to};
use super::traffic::Traffic;

/// Known templates by host, each with what was seen of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Routes {
    hosts: BTreeMap<Box<str>, Host>,
}

/// By [`pin::rank`].
#[derive(Debug, Clone, Default, PartialEq)]
struct Host {
    routes: Vec<Route>,
    index: Index,
}

#[derive(Debug, Clone, PartialEq)]
struct Route {
    pin: Pin,
    ends: BTreeMap<Box<str>, Box<Traffic>>,
    values: Vec<Observed>,
}

impl Routes {
    /// Routes to the templates of these endpoints.
    #[must_use]
    pub fn new(endpoints: &[Endpoint]) -> Self {
        let route = |pin: Pin| {
            let values = vec![Observed::default(); pin.template.params().count()];
            Route { pin, ends: BTreeMap::new(), values }
        };
        let host = |pins: Vec<Pin>| {
            let mut routes: Vec<Route> = pins.into_iter().map(route).collect();
            routes.sort_by_cached_key(|route| pin::rank(&route.pin));
            Host { index: Index::of(routes.iter().map(|route| &route.pin.template)), routes }
        };
        Self {
            hosts: pin::pins(endpoints).into_iter().map(|(name, pins)| (name.into(), host(pins))).collect(),
        }
    }

    /// Adds the traffic of one call. What fits no template was not there when they were learned and is
    /// dropped.
    pub fn add(&mut self, host: &str, path: &str, end: &str, traffic: Traffic) {
        let Some(Host { routes, index }) = self.hosts.get_mut(host) else { return };
        let fit =
            index.candidates(path).into_iter().find_map(|at| Some((at, routes.get(at)?.pin.values(path)?)));
        let Some((at, values)) = fit else { return };
        let Some(route) = routes.get_mut(at) else { return };
        for (slot, value) in route.values.iter_mut().zip(&values) {
            slot.add_text(value);
        }
        match route.ends.get_mut(end) {
            Some(mine) => mine.merge(traffic),
            None => {
                route.ends.insert(end.into(), Box::new(traffic));
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
            for (mine, theirs) in mine.routes.iter_mut().zip(theirs.routes) {
                for (slot, values) in mine.values.iter_mut().zip(theirs.values) {
                    slot.merge(values);
                }
                for (end, traffic) in theirs.ends {
                    add_to(&mut mine.ends, end, traffic, |mine, theirs| mine.merge(*theirs));
                }
            }
        }
    }

    /// What was seen, by host.
    pub fn into_pinned(self) -> impl Iterator<Item = (Box<str>, Vec<Pinned>)> {
        self.hosts.into_iter().map(|(name, host)| {
            let pinned = host.routes.into_iter().map(|route| Pinned {
                template: route.pin.template,
                ends: route.ends.into_iter().map(|(end, traffic)| (end, vec![traffic])).collect(),
                values: route.values,
            });
            (name, pinned.collect())
        })
    }
}
