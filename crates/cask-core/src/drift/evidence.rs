//! How likely a difference is if nothing changed.
//!
//! Two captures of the same service differ all the time: an optional field was not sent, a rare value did not
//! come up. Each difference is therefore a comparison of two counts, "`k1` of `n1` before" and "`k2` of `n2` now",
//! and is weighed by the largest probability that any constant rate gives to counts that far apart:
//!
//! ```text
//! chance = max over p of  P(Bin(n1, p) ≤ k1) · P(Bin(n2, p) ≥ k2)      if the rate rose, mirrored if it fell
//! ```
//!
//! A field that was in 10 of 10 answers and is in 0 of 10 has a chance of 2⁻²⁰. No estimate of the old rate enters,
//! so a small sample never looks surer than it is.

/// Observations beyond this many add no evidence: what came in one session is not independent for ever.
const ENOUGH: u64 = 400;

/// What a description declares counts as if it had been seen this often.
pub(super) const DECLARED: u64 = ENOUGH;

/// A count: `k` of `n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    k: u64,
    n: u64,
}

impl Count {
    /// `k` of `n`.
    pub fn new(k: u64, n: u64) -> Self {
        Self { k: k.min(n), n }
    }

    /// The same rate seen at most `cap` times: the items of one list are one observation, not many.
    ///
    /// A rate between never and always stays between them.
    pub fn capped(self, cap: u64) -> Self {
        let cap = cap.min(ENOUGH);
        if self.n <= cap {
            return self;
        }
        let scaled = u64::try_from(u128::from(self.k) * u128::from(cap) / u128::from(self.n)).unwrap_or(cap);
        let k = match self.k {
            0 => 0,
            k if k == self.n => cap,
            _ => scaled.clamp(1, cap.saturating_sub(1).max(1)),
        };
        Self { k, n: cap }
    }

    /// How often it was.
    pub fn k(self) -> u64 {
        self.k
    }

    /// How often it could have been.
    pub fn n(self) -> u64 {
        self.n
    }

    /// It was there every time, and there was a time.
    pub fn always(self) -> bool {
        self.n > 0 && self.k == self.n
    }

    /// It never was, though it could have been.
    pub fn never(self) -> bool {
        self.n > 0 && self.k == 0
    }
}

/// The largest probability of counts so far apart under any constant rate; 1 where one side saw nothing.
pub fn chance(before: Count, now: Count) -> f64 {
    let (before, now) = (before.capped(ENOUGH), now.capped(ENOUGH));
    if before.n == 0 || now.n == 0 {
        return 1.0;
    }
    // a falling rate is a rising rate of absence
    if before.k * now.n > now.k * before.n {
        let absent = |count: Count| Count { k: count.n - count.k, n: count.n };
        return rising(absent(before), absent(now));
    }
    rising(before, now)
}

fn rising(before: Count, now: Count) -> f64 {
    let likelihood =
        |p: f64| tail(before.n, p, |i| i <= before.k).max(0.0) * tail(now.n, p, |i| i >= now.k).max(0.0);
    // The product of two binomial tails is log-concave in p: a ternary search finds its peak.
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let third = (high - low) / 3.0;
        let (a, b) = (low + third, high - third);
        if likelihood(a) < likelihood(b) {
            low = a;
        } else {
            high = b;
        }
    }
    likelihood((low + high) / 2.0).min(1.0)
}

/// The probability that a binomial variable is one of the accepted values. Multiplications only, so that the
/// last bit is the same on every machine.
fn tail(n: u64, p: f64, accept: impl Fn(u64) -> bool) -> f64 {
    // counted from the likelier end, where the first term cannot underflow
    let mirrored = p > 0.5;
    let (p, q) = if mirrored { (1.0 - p, p) } else { (p, 1.0 - p) };
    let mut term = (0..n).fold(1.0, |term, _| term * q);
    let mut sum = 0.0;
    for i in 0..=n {
        if accept(if mirrored { n - i } else { i }) {
            sum += term;
        }
        #[allow(clippy::cast_precision_loss, reason = "n is at most ENOUGH")]
        {
            term = term * ((n - i) as f64) / ((i + 1) as f64) * p / q;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(k: u64, n: u64) -> Count {
        Count::new(k, n)
    }

    #[test]
    fn always_then_never_is_the_textbook_value() {
        let close = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-6;
        assert!(close(chance(of(10, 10), of(0, 10)), 0.5_f64.powi(20)));
        assert!(close(chance(of(0, 10), of(10, 10)), 0.5_f64.powi(20)));
        // (400/450)^400 · (50/450)^50
        assert!(close(chance(of(400, 400), of(0, 50)), (8.0_f64 / 9.0).powi(400) * (1.0_f64 / 9.0).powi(50)));
    }

    #[test]
    fn little_evidence_and_equal_rates_prove_nothing() {
        assert!(chance(of(1, 1), of(0, 1)) > 0.2);
        assert!(chance(of(0, 10), of(1, 10)) > 0.2);
        assert!(chance(of(5, 10), of(5, 10)) > 0.3);
        assert!((chance(of(0, 0), of(5, 5)) - 1.0).abs() < f64::EPSILON);
        assert!((chance(of(5, 5), of(0, 0)) - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn more_evidence_is_never_weaker_and_is_capped() {
        let mut last = 1.0;
        for n in [1, 2, 5, 10, 50, 200, 400] {
            let now = chance(of(n, n), of(0, n));
            assert!(now < last, "{n}: {now} {last}");
            last = now;
        }
        assert!(chance(of(u64::MAX, u64::MAX), of(0, u64::MAX)) > 0.0);
        assert_eq!(of(1_000_000, 2_000_000).capped(10).k(), 5);
        assert_eq!(of(1, 2_000_000).capped(10).k(), 1);
        assert_eq!(of(1_999_999, 2_000_000).capped(10).k(), 9);
    }
}
