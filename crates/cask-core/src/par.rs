//! The same work for many items, on all cores. Results stand in the order of the items, so the outcome
//! does not depend on how many threads there were; all of them have ended when a call returns.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Fewer items are not worth a thread.
const FEW: usize = 4;
/// Items that a thread takes at once.
const BLOCK: usize = 2;

/// Applies `work` to every item.
pub fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    // asking the system takes longer than many an item
    static CORES: OnceLock<usize> = OnceLock::new();
    let cores = *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from));
    let threads = cores.min(items.len() / FEW);
    if threads <= 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    let take = || {
        let mut mine = Vec::new();
        loop {
            let from = next.fetch_add(BLOCK, Ordering::Relaxed);
            let Some(rest) = items.get(from..) else { break };
            let block = rest.iter().take(BLOCK).enumerate();
            mine.extend(block.map(|(at, item)| (from + at, work(item))));
            if rest.len() <= BLOCK {
                break;
            }
        }
        done.lock().unwrap_or_else(PoisonError::into_inner).append(&mut mine);
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            // A thread that cannot be had is no failure: the others do its work.
            let _ = std::thread::Builder::new().spawn_scoped(scope, take);
        }
        take();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::map;

    #[test]
    fn results_stand_in_the_order_of_the_items() {
        for count in [0, 1, 15, 16, 17, 1000, 1003] {
            let items: Vec<usize> = (0..count).collect();
            assert_eq!(map(&items, |item| item * 3), (0..count).map(|item| item * 3).collect::<Vec<_>>());
        }
    }
}
