//! The flow of one import: a reader cuts files into batches of whole entries, workers take them on all
//! cores, and their results come back in the order of the file. What is in flight is bounded in bytes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cask_core::artifact::capture::Source;

use super::source;
use crate::cores;
use crate::ctx::Ctx;
use crate::error::Error;

/// A batch is sent on when it has this many bytes.
const BATCH: usize = 256 << 10;
/// What may be read and not yet written for each worker, in bytes; a single larger entry travels alone.
const IN_FLIGHT: usize = 4 * BATCH;

/// Whole entries of one source, back to back.
#[derive(Debug, Default)]
pub struct Batch {
    /// Position in the order of all batches.
    index: u64,
    /// Which source, from 0.
    pub source: usize,
    bytes: Vec<u8>,
    /// For each entry its position in the capture and where it ends.
    ends: Vec<(u64, usize)>,
}

impl Batch {
    /// Bytes of all entries.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The entries with their positions in the capture.
    pub fn entries(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let mut start = 0;
        self.ends.iter().map(move |&(seq, end)| {
            let entry = self.bytes.get(start..end).unwrap_or_default();
            start = end;
            (seq, entry)
        })
    }
}

/// Where the reader puts entries. Sending blocks while too much is in flight.
#[derive(Debug)]
pub struct Feed<'f> {
    batch: Batch,
    next: u64,
    seq: u64,
    gate: &'f Gate,
    sender: SyncSender<Batch>,
}

impl Feed<'_> {
    /// Adds one entry. `false`: nobody is listening any more.
    pub fn entry(&mut self, bytes: &[u8]) -> bool {
        // What does not fit begins another batch: growing would copy what is there.
        if self.batch.bytes.len() + bytes.len() > self.batch.bytes.capacity() {
            if !self.flush() {
                return false;
            }
            self.batch.bytes.reserve_exact(bytes.len().max(BATCH + BATCH / 4));
        }
        self.batch.bytes.extend_from_slice(bytes);
        self.batch.ends.push((self.seq, self.batch.bytes.len()));
        self.seq += 1;
        self.batch.bytes.len() < BATCH || self.flush()
    }

    /// Counts an entry that cannot be read, so that the positions of the others stay true.
    pub fn lost(&mut self) {
        self.seq += 1;
    }

    /// Begins another source.
    pub fn begin(&mut self, source: usize) -> bool {
        let sent = self.flush();
        self.batch.source = source;
        sent
    }

    fn flush(&mut self) -> bool {
        if self.batch.ends.is_empty() {
            return true;
        }
        let fresh = Batch { source: self.batch.source, ..Batch::default() };
        let batch = Batch { index: self.next, ..std::mem::replace(&mut self.batch, fresh) };
        self.next += 1;
        self.gate.enter(batch.bytes.len()) && self.sender.send(batch).is_ok()
    }
}

/// What came out of a flow.
#[derive(Debug)]
pub struct Read<W, S> {
    /// What the reader found.
    pub source: S,
    /// The workers with what they gathered.
    pub workers: Vec<W>,
}

/// Reads capture files through workers.
///
/// # Errors
/// Every file that cannot be read, in one [`Error`]; or the sink's error.
pub fn read_files<W: Send, R: Send>(
    files: &[PathBuf],
    threads: usize,
    ctx: &Ctx,
    make: &(dyn Fn() -> W + Sync),
    work: impl Fn(&mut W, &Batch) -> R + Sync,
    sink: &mut dyn FnMut(R) -> Result<(), Error>,
) -> Result<Read<W, Vec<Source>>, Error> {
    let read = run(threads, ctx.terminal, |feed| source::read(files, feed), make, work, sink)?;
    Ok(Read { source: read.source?, workers: read.workers })
}

/// Runs a reader, workers and a sink together until the reader ends or one of them fails.
///
/// # Errors
/// The sink's error, or that no thread could be started.
pub fn run<W: Send, R: Send, S: Send>(
    threads: usize,
    progress: bool,
    reader: impl FnOnce(&mut Feed<'_>) -> S + Send,
    make: &(dyn Fn() -> W + Sync),
    work: impl Fn(&mut W, &Batch) -> R + Sync,
    sink: &mut dyn FnMut(R) -> Result<(), Error>,
) -> Result<Read<W, S>, Error> {
    let threads = match threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        given => given,
    };
    let gate = Gate { limit: threads * IN_FLIGHT, ..Gate::default() };
    let (to_work, batches) = mpsc::sync_channel::<Batch>(threads * 2);
    // The workers alone have it: when the last one is gone, a reader that waits to send is told.
    let batches = Arc::new(Mutex::new(batches));
    let (to_sink, results) = mpsc::channel();
    let work = &work;
    std::thread::scope(|scope| {
        let gate = &gate;
        // However this scope is left, a reader that waits must be woken.
        let _open = Close(gate);
        let reading = std::thread::Builder::new()
            .name("read".to_owned())
            .spawn_scoped(scope, move || {
                let mut feed = Feed { batch: Batch::default(), next: 0, seq: 0, gate, sender: to_work };
                let source = reader(&mut feed);
                feed.flush();
                source
            })
            .map_err(Error::no_thread)?;
        let mut working = Vec::with_capacity(threads);
        for nth in 0..threads {
            let (batches, to_sink) = (Arc::clone(&batches), to_sink.clone());
            let worker = std::thread::Builder::new().name("work".to_owned()).spawn_scoped(scope, move || {
                cores::begin_at(nth);
                // A batch that a worker dies of never leaves; else it goes only when there is nothing more to read.
                let _open = Close(gate);
                let mut worker = make();
                while let Some(batch) = next(&batches) {
                    let result = work(&mut worker, &batch);
                    if to_sink.send((batch.index, batch.bytes.len(), result)).is_err() {
                        break;
                    }
                }
                worker
            });
            working.push(worker.map_err(Error::no_thread)?);
        }
        drop((to_sink, batches));
        in_order(&results, gate, progress, sink)?;
        drop(results);
        let source =
            reading.join().map_err(|_| Error::new("the reader thread failed; this is a bug in cask"))?;
        let mut workers = Vec::with_capacity(threads);
        for worker in working {
            workers.push(
                worker.join().map_err(|_| Error::new("a worker thread failed; this is a bug in cask"))?,
            );
        }
        cores::work_along();
        Ok(Read { source, workers })
    })
}

fn next(batches: &Mutex<Receiver<Batch>>) -> Option<Batch> {
    lock(batches).recv().ok()
}

/// Hands results to the sink in the order of their batches, whichever worker was first.
fn in_order<R>(
    results: &Receiver<(u64, usize, R)>,
    gate: &Gate,
    progress: bool,
    sink: &mut dyn FnMut(R) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut early = BTreeMap::new();
    let mut next = 0;
    let mut progress = progress.then(Progress::default);
    for (index, bytes, result) in results {
        early.insert(index, (bytes, result));
        while let Some((bytes, result)) = early.remove(&next) {
            next += 1;
            sink(result)?;
            gate.leave(bytes);
            if let Some(progress) = &mut progress {
                progress.add(bytes);
            }
        }
    }
    Ok(())
}

/// One line on a terminal's stderr, from the second half second on.
#[derive(Debug)]
struct Progress {
    bytes: u64,
    started: Instant,
    shown: Instant,
    visible: bool,
}

impl Default for Progress {
    fn default() -> Self {
        let now = Instant::now();
        Self { bytes: 0, started: now, shown: now, visible: false }
    }
}

impl Progress {
    fn add(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        if self.shown.elapsed() > Duration::from_millis(500) {
            self.shown = Instant::now();
            self.visible = true;
            let rate = self.bytes as f64 / 1e6 / self.started.elapsed().as_secs_f64();
            eprint!("\r\x1b[K  read {} MB, {rate:.0} MB/s", self.bytes / 1_000_000);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.visible {
            eprint!("\r\x1b[K");
        }
    }
}

/// Counts the bytes in flight.
#[derive(Debug, Default)]
struct Gate {
    limit: usize,
    state: Mutex<GateState>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct GateState {
    bytes: usize,
    closed: bool,
}

impl Gate {
    /// Waits until the bytes fit (or nothing else is in flight). `false` if the flow has ended.
    fn enter(&self, bytes: usize) -> bool {
        let full =
            |state: &mut GateState| !state.closed && state.bytes > 0 && state.bytes + bytes > self.limit;
        let mut state =
            self.moved.wait_while(lock(&self.state), full).unwrap_or_else(PoisonError::into_inner);
        state.bytes += bytes;
        !state.closed
    }

    fn leave(&self, bytes: usize) {
        let mut state = lock(&self.state);
        state.bytes = state.bytes.saturating_sub(bytes);
        self.moved.notify_one();
    }
}

struct Close<'g>(&'g Gate);

impl Drop for Close<'_> {
    fn drop(&mut self) {
        lock(&self.0.state).closed = true;
        self.0.moved.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More than may be in flight, and more batches than may wait: nobody may wait for who died.
    #[test]
    fn a_worker_that_dies_ends_the_flow() {
        let entry = vec![b' '; BATCH];
        for (threads, length) in [(1, BATCH), (2, BATCH), (1, 10), (2, 10)] {
            let reader = |feed: &mut Feed<'_>| {
                (0..50).all(|source| feed.begin(source) && feed.entry(entry.get(..length).unwrap()))
            };
            let work = |(): &mut (), batch: &Batch| assert_ne!(batch.source, 0, "this one is fatal");
            let ended = run(threads, false, reader, &|| (), work, &mut |()| Ok(()));
            assert!(ended.unwrap_err().to_string().contains("a worker thread failed"));
        }
    }
}
