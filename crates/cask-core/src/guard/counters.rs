//! Calls made so far, which budgets are about.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use crate::endpoint::Effect;

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;

/// How many permitted calls were made, by effect.
///
/// Budgets count by **effect**: ten writes a minute are ten writes, through however many tools. A call
/// counts when it is permitted, whether the upstream likes it or not.
#[derive(Debug, Clone, Default)]
pub struct Counters {
    effects: BTreeMap<Effect, Window>,
}

/// The calls that a decision sees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    /// Calls of the same effect in the last 60 seconds.
    pub minute: u32,
    /// Calls of the same effect in the last 3600 seconds.
    pub hour: u32,
}

impl Counters {
    /// Counts one permitted call.
    pub fn record(&mut self, effect: Effect, now: Timestamp) {
        self.effects.entry(effect).or_default().record(now.as_second());
    }

    /// The calls that count against the next one.
    #[must_use]
    pub fn calls(&self, effect: Effect, now: Timestamp) -> Calls {
        let second = now.as_second();
        let within = |span| self.effects.get(&effect).map_or(0, |window| window.within(second, span));
        Calls { minute: within(MINUTE), hour: within(HOUR) }
    }
}

/// Calls by the second they were made in, oldest first; at most an hour of them.
#[derive(Debug, Clone, Default)]
struct Window(VecDeque<(i64, u32)>);

impl Window {
    fn record(&mut self, second: i64) {
        // A clock that steps back must not reopen a budget: the call counts at the latest second known.
        let second = self.0.back().map_or(second, |(last, _)| second.max(*last));
        match self.0.back_mut() {
            Some((last, count)) if *last == second => *count = count.saturating_add(1),
            _ => self.0.push_back((second, 1)),
        }
        while self.0.front().is_some_and(|(first, _)| *first <= second - HOUR) {
            self.0.pop_front();
        }
    }

    fn within(&self, now: i64, span: i64) -> u32 {
        let recent = self.0.iter().rev().take_while(|(second, _)| *second > now - span);
        recent.fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_count_by_effect_and_forget_after_an_hour() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut counters = Counters::default();
        counters.record(Effect::Write, at(1000));
        counters.record(Effect::Write, at(1030));
        counters.record(Effect::Read, at(1030));
        assert_eq!(counters.calls(Effect::Write, at(1059)), Calls { minute: 2, hour: 2 });
        assert_eq!(counters.calls(Effect::Write, at(1060)).minute, 1);
        assert_eq!(counters.calls(Effect::Write, at(4600)).hour, 1);
        assert_eq!(counters.calls(Effect::Write, at(4630)).hour, 0);
        counters.record(Effect::Write, at(10));
        assert_eq!(counters.calls(Effect::Write, at(1031)).minute, 3, "a clock step back still counts");
    }
}
