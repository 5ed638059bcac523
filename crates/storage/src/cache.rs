//! Decoded chunks, kept for the next region that needs them: bounded in bytes, shared by all sources.
//!
//! A chunk that two threads ask for is decoded once: the first to ask decodes it, the others wait for it.
//! No lock is held while a chunk is decoded.
//!
//! One entry goes through these steps:
//!
//! | state | who | next |
//! |---|---|---|
//! | empty | the first thread that asks | decoding |
//! | decoding | that thread, without a lock; others wait | ready, or empty again when it failed or panicked |
//! | ready | anyone reads | removed by the clock, [`ChunkCache::forget`] or [`ChunkCache::clear`] |
//!
//! When decoding fails, its error goes to the thread that decoded, and each waiting thread tries for itself.
//! No wakeup is lost: a thread waits only while it sees `decoding` under the entry's lock, the state leaves
//! `decoding` only under that lock, and whoever changes it wakes all. The decoding thread always changes it, since
//! its duty is a value whose drop does so.
//!
//! Eviction is a clock: a hand walks the ready entries, spares those read since it last passed, and removes the
//! others. What is evicted changes how long a read takes, never what it gives.
//!
//! Locks nest in one order: the ring, a shard of the map, an entry. Waiting holds none but the entry's own.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use chunkwise_chunk::{Chunk, SourceError};
use dashmap::DashMap;

use crate::sync::{AtomicBool, Condvar, Counter, Mutex, Ordering};

/// Bytes the global cache holds at first.
const DEFAULT_LIMIT: usize = 64 << 20;

/// Which source a cached chunk belongs to; never used twice in a process.
///
/// ```
/// use chunkwise_storage::SourceId;
/// assert_ne!(SourceId::unique(), SourceId::unique());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SourceId(u64);

impl SourceId {
    /// A new number.
    pub fn unique() -> SourceId {
        static NEXT: Counter = Counter::new(0);
        // Relaxed: only the number itself matters.
        SourceId(NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    source: SourceId,
    block: usize,
}

/// Decoded chunks, bounded in bytes.
///
/// The bound counts beside any limit on the memory of a computation, not within it: chunks stay here between
/// tasks and between computations, and no task is charged for what stays. Who has a budget for the whole process gives
/// a part of it to [`ChunkCache::set_limit`] and the rest to the computation. A block that was read out of a chunk
/// may keep the chunk's memory after it has left the cache; the sources of this crate share a chunk only with
/// blocks of at least half its size.
///
/// ```
/// use chunkwise_chunk::{Chunk, DType};
/// use chunkwise_storage::{ChunkCache, SourceId};
/// let cache = ChunkCache::new(1 << 20);
/// let source = SourceId::unique();
/// cache.get_or_decode(source, 7, || Ok(Chunk::zeros(DType::F64, &[100]))).unwrap();
/// let again = cache.get_or_decode(source, 7, || unreachable!("it is there")).unwrap();
/// assert_eq!(again.nbytes(), 800);
/// assert_eq!(cache.nbytes(), 800);
/// ```
#[derive(Debug)]
pub struct ChunkCache {
    entries: DashMap<Key, Arc<Entry>>,
    ring: Mutex<Ring>,
}

/// The ready entries in the order of the clock's hand.
#[derive(Debug)]
struct Ring {
    keys: VecDeque<(Key, usize)>,
    nbytes: usize,
    limit: usize,
}

impl ChunkCache {
    /// An empty cache that holds at most `limit` bytes. A chunk larger than that is not kept.
    ///
    /// ```
    /// let cache = chunkwise_storage::ChunkCache::new(1 << 20);
    /// assert_eq!((cache.limit(), cache.nbytes()), (1 << 20, 0));
    /// ```
    pub fn new(limit: usize) -> ChunkCache {
        let ring = Ring { keys: VecDeque::new(), nbytes: 0, limit };
        ChunkCache { entries: DashMap::new(), ring: Mutex::new(ring) }
    }

    /// The cache that the sources of this crate share: 64 MiB until [`ChunkCache::set_limit`] says otherwise,
    /// beside the memory limit of a computation.
    ///
    /// ```
    /// use chunkwise_storage::ChunkCache;
    /// assert_eq!(ChunkCache::global().limit(), 64 << 20);
    /// ```
    pub fn global() -> &'static ChunkCache {
        static GLOBAL: OnceLock<ChunkCache> = OnceLock::new();
        GLOBAL.get_or_init(|| ChunkCache::new(DEFAULT_LIMIT))
    }

    /// Bytes it may hold.
    pub fn limit(&self) -> usize {
        self.ring.lock().limit
    }

    /// Changes how many bytes it may hold, and drops what is too much. With a limit of 0 nothing is kept.
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, DType};
    /// use chunkwise_storage::{ChunkCache, SourceId};
    /// let cache = ChunkCache::new(1000);
    /// cache.get_or_decode(SourceId::unique(), 0, || Ok(Chunk::zeros(DType::U8, &[600]))).unwrap();
    /// cache.set_limit(500);
    /// assert_eq!(cache.nbytes(), 0);
    /// ```
    pub fn set_limit(&self, limit: usize) {
        let mut ring = self.ring.lock();
        ring.limit = limit;
        let evicted = self.evict(&mut ring);
        drop(ring);
        drop(evicted);
    }

    /// Bytes it holds.
    pub fn nbytes(&self) -> usize {
        self.ring.lock().nbytes
    }

    /// Drops everything.
    ///
    /// ```
    /// use chunkwise_storage::ChunkCache;
    /// ChunkCache::global().clear();
    /// assert_eq!(ChunkCache::global().nbytes(), 0);
    /// ```
    pub fn clear(&self) {
        self.remove_where(|_| true);
    }

    /// Drops the chunks of one source, for when it is closed.
    ///
    /// ```
    /// use chunkwise_chunk::{Chunk, DType};
    /// use chunkwise_storage::{ChunkCache, SourceId};
    /// let (cache, source) = (ChunkCache::new(1000), SourceId::unique());
    /// cache.get_or_decode(source, 0, || Ok(Chunk::zeros(DType::U8, &[600]))).unwrap();
    /// cache.forget(source);
    /// assert_eq!(cache.nbytes(), 0);
    /// ```
    pub fn forget(&self, source: SourceId) {
        self.remove_where(|key| key.source == source);
    }

    /// The chunk of a block, decoded by `decode` unless it is there or another thread is decoding it.
    ///
    /// `decode` must not ask for the same block again.
    ///
    /// # Errors
    /// Those of `decode`.
    ///
    /// ```
    /// use chunkwise_chunk::SourceError;
    /// use chunkwise_storage::{ChunkCache, SourceId};
    /// let torn = || Err(SourceError::message("torn"));
    /// assert!(ChunkCache::new(100).get_or_decode(SourceId::unique(), 0, torn).is_err());
    /// ```
    pub fn get_or_decode(
        &self,
        source: SourceId,
        block: usize,
        decode: impl FnOnce() -> Result<Chunk, SourceError>,
    ) -> Result<Chunk, SourceError> {
        let key = Key { source, block };
        let entry = Arc::clone(&self.entries.entry(key).or_default());
        let lead = match entry.get_or_lead() {
            Found::Ready(chunk) => return Ok(chunk),
            Found::Lead(lead) => lead,
        };
        match decode() {
            Ok(chunk) => {
                lead.fill(chunk.clone());
                self.admit(key, &entry, chunk.nbytes());
                Ok(chunk)
            }
            Err(error) => {
                drop(lead);
                self.entries.remove_if(&key, |_, there| Arc::ptr_eq(there, &entry) && there.is_empty());
                Err(error)
            }
        }
    }

    /// Enters a ready entry into the ring, and makes room for it.
    fn admit(&self, key: Key, entry: &Arc<Entry>, nbytes: usize) {
        let mut ring = self.ring.lock();
        if nbytes > ring.limit {
            self.entries.remove_if(&key, |_, there| Arc::ptr_eq(there, entry));
            return;
        }
        let there = self.entries.get(&key).is_some_and(|there| Arc::ptr_eq(&there, entry));
        if !there {
            // Forgotten while it was decoded.
            return;
        }
        ring.keys.push_back((key, nbytes));
        ring.nbytes += nbytes;
        let evicted = self.evict(&mut ring);
        drop(ring);
        drop(evicted);
    }

    /// Walks the hand until the bytes fit, and gives back what it removed, to be freed without the lock.
    ///
    /// Ends because each entry is spared at most once a walk, unless readers keep marking it; then the hand
    /// stops sparing after one round.
    fn evict(&self, ring: &mut Ring) -> Vec<Arc<Entry>> {
        let mut evicted = Vec::new();
        let mut spares = ring.keys.len();
        while ring.nbytes > ring.limit {
            let Some((key, nbytes)) = ring.keys.pop_front() else { break };
            let used = self.entries.get(&key).is_some_and(|entry| entry.used.swap(false, Ordering::Relaxed));
            if used && spares > 0 {
                spares -= 1;
                ring.keys.push_back((key, nbytes));
                continue;
            }
            ring.nbytes -= nbytes;
            evicted.extend(self.entries.remove(&key).map(|(_, entry)| entry));
        }
        evicted
    }

    fn remove_where(&self, gone: impl Fn(&Key) -> bool) {
        let mut ring = self.ring.lock();
        ring.keys.retain(|(key, _)| !gone(key));
        ring.nbytes = ring.keys.iter().map(|(_, nbytes)| nbytes).sum();
        self.entries.retain(|key, _| !gone(key));
    }
}

/// One chunk: empty, being decoded, or ready.
#[derive(Debug, Default)]
struct Entry {
    state: Mutex<State>,
    /// Told when `state` leaves `Decoding`.
    changed: Condvar,
    /// Read since the clock's hand last passed. Relaxed: a hint, nothing is read because of it.
    used: AtomicBool,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Empty,
    Decoding,
    Ready(Chunk),
}

enum Found<'a> {
    Ready(Chunk),
    Lead(Lead<'a>),
}

impl Entry {
    /// The chunk, or the duty to decode it; waits while another thread has that duty.
    fn get_or_lead(&self) -> Found<'_> {
        let mut state = self.state.lock();
        loop {
            match &*state {
                State::Ready(chunk) => {
                    self.used.store(true, Ordering::Relaxed);
                    return Found::Ready(chunk.clone());
                }
                State::Decoding => state = self.changed.wait(state),
                State::Empty => {
                    *state = State::Decoding;
                    return Found::Lead(Lead { entry: self });
                }
            }
        }
    }

    fn is_empty(&self) -> bool {
        matches!(*self.state.lock(), State::Empty)
    }

    fn set(&self, next: State) {
        *self.state.lock() = next;
        self.changed.notify_all();
    }
}

/// The duty to decode a chunk. Dropped without one, by an error or a panic, it passes to the next thread.
struct Lead<'a> {
    entry: &'a Entry,
}

impl Lead<'_> {
    fn fill(self, chunk: Chunk) {
        self.entry.set(State::Ready(chunk));
        std::mem::forget(self);
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        self.entry.set(State::Empty);
    }
}

#[cfg(all(test, loom))]
mod model {
    use loom::sync::Arc;
    use loom::thread;

    use super::*;
    use crate::sync::AtomicUsize;
    use chunkwise_chunk::DType;

    /// Asks once; the first `failures` threads to decode fail. True when a chunk came.
    fn ask(entry: &Entry, tries: &AtomicUsize, failures: usize) -> bool {
        match entry.get_or_lead() {
            Found::Ready(_) => true,
            Found::Lead(lead) => {
                if tries.fetch_add(1, Ordering::Relaxed) < failures {
                    return false;
                }
                lead.fill(Chunk::zeros(DType::U8, &[1]));
                true
            }
        }
    }

    fn check(failures: usize) {
        loom::model(move || {
            let shared = Arc::new((Entry::default(), AtomicUsize::new(0)));
            let threads: Vec<_> = (0..2)
                .map(|_| {
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || ask(&shared.0, &shared.1, failures))
                })
                .collect();
            let mine = ask(&shared.0, &shared.1, failures);
            let served = threads.into_iter().map(|t| t.join().unwrap()).filter(|&served| served).count();
            assert_eq!(served + usize::from(mine), 3 - failures);
            assert_eq!(shared.1.load(Ordering::Relaxed), failures + 1);
        });
    }

    #[test]
    fn no_waiting_thread_is_forgotten() {
        check(0);
    }

    #[test]
    fn no_waiting_thread_is_forgotten_after_a_failure() {
        check(1);
        check(2);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Barrier;

    use super::*;
    use crate::sync::AtomicUsize;
    use chunkwise_chunk::DType;

    fn bytes(n: usize) -> Chunk {
        Chunk::zeros(DType::U8, &[n])
    }

    #[test]
    fn threads_that_ask_for_one_block_decode_it_once() {
        let (cache, source, decoded) = (ChunkCache::new(1000), SourceId::unique(), AtomicUsize::new(0));
        let start = Barrier::new(8);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    start.wait();
                    for block in 0..5 {
                        let decode = || {
                            decoded.fetch_add(1, Ordering::Relaxed);
                            Ok(bytes(block + 1))
                        };
                        assert_eq!(cache.get_or_decode(source, block, decode).unwrap().len(), block + 1);
                    }
                });
            }
        });
        assert_eq!(decoded.into_inner(), 5);
        assert_eq!(cache.nbytes(), 15);
    }

    #[test]
    fn failed_decode_is_tried_again() {
        let (cache, source) = (ChunkCache::new(1000), SourceId::unique());
        let fail = || Err(SourceError::message("torn"));
        assert_eq!(cache.get_or_decode(source, 0, fail).unwrap_err().to_string(), "torn");
        assert!(cache.entries.is_empty());
        assert_eq!(cache.get_or_decode(source, 0, || Ok(bytes(3))).unwrap().len(), 3);
    }

    #[test]
    fn panic_while_decoding_leaves_the_block_to_the_next() {
        let (cache, source) = (ChunkCache::new(1000), SourceId::unique());
        let panics =
            catch_unwind(AssertUnwindSafe(|| cache.get_or_decode(source, 0, || panic!("bad codec"))));
        assert!(panics.is_err());
        assert_eq!(cache.get_or_decode(source, 0, || Ok(bytes(3))).unwrap().len(), 3);
    }

    #[test]
    fn waiting_threads_outlive_a_failure() {
        let (cache, source) = (ChunkCache::new(1000), SourceId::unique());
        let (tries, start) = (AtomicUsize::new(0), Barrier::new(6));
        let served = std::thread::scope(|scope| {
            let ask = || {
                start.wait();
                let decode = || match tries.fetch_add(1, Ordering::Relaxed) {
                    0..3 => Err(SourceError::message("not yet")),
                    _ => Ok(bytes(3)),
                };
                cache.get_or_decode(source, 0, decode).is_ok()
            };
            let threads: Vec<_> = (0..6).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|t| usize::from(t.join().unwrap())).sum::<usize>()
        });
        assert_eq!(served, 3);
    }

    #[test]
    fn bytes_stay_within_the_limit_and_used_chunks_stay_longer() {
        let (cache, source) = (ChunkCache::new(100), SourceId::unique());
        let read = |block| cache.get_or_decode(source, block, || Ok(bytes(40))).unwrap();
        read(0);
        read(1);
        read(0);
        read(2);
        assert_eq!(cache.nbytes(), 80);
        let there = |block| cache.entries.contains_key(&Key { source, block });
        assert!(there(0) && !there(1) && there(2));
        for block in 0..50 {
            read(block);
            assert!(cache.nbytes() <= 100);
        }
        assert_eq!(cache.entries.len(), 2);
    }

    #[test]
    fn chunk_above_the_limit_is_passed_through() {
        let cache = ChunkCache::new(10);
        assert_eq!(cache.get_or_decode(SourceId::unique(), 0, || Ok(bytes(11))).unwrap().len(), 11);
        assert_eq!((cache.nbytes(), cache.entries.len()), (0, 0));
    }

    #[test]
    fn chunk_forgotten_while_it_is_decoded_is_not_kept() {
        let (cache, source) = (ChunkCache::new(100), SourceId::unique());
        let decode = || {
            cache.forget(source);
            Ok(bytes(10))
        };
        cache.get_or_decode(source, 0, decode).unwrap();
        assert_eq!((cache.nbytes(), cache.entries.len()), (0, 0));
    }
}
