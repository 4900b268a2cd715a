//! Which threads share the work, and where they begin.
//!
//! A system that sees no cache in common between two processors looks for no idle one when it wakes a thread: the thread
//! goes where it was, or where it is woken from. On such machines two threads were seen to share one processor for half of a
//! run while the other one slept.

/// Makes this thread one of those that share out what comes now, which is many short steps: else it would sleep at each of
/// them. There is always one more, for who is not among them and waits for what it hands in.
pub fn work_along() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from).max(2);
    let here = here();
    let pool = rayon::ThreadPoolBuilder::new().use_current_thread().num_threads(cores);
    // where there is a pool already, it stays as it is
    let _ = pool.start_handler(move |nth| begin_at(here + nth)).build_global();
}

/// Begins this thread on the processor of that number, counted round and round among those that it may use. It is not held
/// there: the system may move it when that one is busy.
#[cfg(target_os = "linux")]
pub fn begin_at(nth: usize) {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let Ok(all) = sched_getaffinity(None) else { return };
    let mut mine = (0..CpuSet::MAX_CPU).filter(|cpu| all.is_set(*cpu));
    let Some(cpu) = mine.nth(nth % (all.count() as usize).max(1)) else { return };
    let mut one = CpuSet::new();
    one.set(cpu);
    if sched_setaffinity(None, &one).is_ok() {
        let _ = sched_setaffinity(None, &all);
    }
}

/// The number for [`begin_at`] of the processor that this thread is on.
#[cfg(target_os = "linux")]
fn here() -> usize {
    use rustix::thread::{sched_getaffinity, sched_getcpu};
    let cpu = sched_getcpu();
    sched_getaffinity(None).map_or(0, |all| (0..cpu).filter(|other| all.is_set(*other)).count())
}

/// Elsewhere threads begin where the system puts them.
#[cfg(not(target_os = "linux"))]
pub fn begin_at(_nth: usize) {}

#[cfg(not(target_os = "linux"))]
fn here() -> usize {
    0
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_begins_where_it_is_told_and_may_go_anywhere() {
        use rustix::thread::sched_getaffinity;
        let before = sched_getaffinity(None).unwrap();
        let cores = before.count() as usize;
        for nth in 0..2 * cores {
            begin_at(nth);
            assert_eq!(sched_getaffinity(None).unwrap(), before);
        }
        assert!(here() < cores);
    }
}
