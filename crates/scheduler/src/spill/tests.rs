//! Records on a disk that fails: what is reported, and that no space is lost.

use std::collections::HashMap;
use std::io::{self, Write};

use proptest::prelude::*;

use super::faults::{Call, Fault, FaultDisk};
use super::space::BLOCK;
use super::writer::PIECE;
use super::*;

const SEGMENT: u64 = 64 * BLOCK;

fn store(disk: &FaultDisk, limit: Option<u64>) -> SpillStore {
    SpillStore::on_disk(Box::new(disk.clone()), "/faulty".into(), limit, SEGMENT)
}

/// Bytes that differ from place to place and from value to value.
fn value(seed: u64, len: usize) -> Vec<u8> {
    (0..len as u64).map(|i| (seed ^ i).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[0]).collect()
}

fn write(store: &SpillStore, bytes: &[u8], slice: usize) -> Result<SpillRecord, SpillError> {
    store.write(|out| bytes.chunks(slice.max(1)).try_for_each(|slice| out.write_all(slice)))
}

fn read(record: &SpillRecord, slice: usize) -> Result<Vec<u8>, SpillError> {
    let mut bytes = vec![0; record.nbytes() as usize];
    record.read(|from| bytes.chunks_mut(slice.max(1)).try_for_each(|slice| from.read_exact(slice)))?;
    Ok(bytes)
}

#[test]
fn values_of_every_size_and_slicing_come_back() {
    let disk = FaultDisk::default();
    let store = store(&disk, None);
    for len in [0, 1, 31, 4064, 4065, 65_535, 65_536, 65_537, 262_145, PIECE, 3 * PIECE + 5] {
        for slice in [1000, 65_535, 65_536, 300_000, usize::MAX] {
            let bytes = value(len as u64, len);
            let record = write(&store, &bytes, slice).unwrap();
            assert_eq!(record.nbytes(), len as u64);
            assert!(read(&record, slice).unwrap() == bytes, "{len} bytes in slices of {slice}");
            let mut all = Vec::new();
            record.read(|from| from.read_to_end(&mut all)).unwrap();
            assert!(all == bytes);
        }
    }
    assert_eq!((store.stats().on_disk, disk.open_files()), (0, 0));
}

#[test]
fn every_changed_bit_of_a_record_is_seen() {
    let disk = FaultDisk::default();
    let store = store(&disk, None);
    let record = write(&store, &value(1, 100), 7).unwrap();
    for bit in 0..(32 + 100) * 8 {
        disk.flip(bit);
        let error = read(&record, 100).unwrap_err();
        let expected = if bit < 32 * 8 { "header" } else { "checksum" };
        assert!(
            matches!(error, SpillError::Corrupt { bytes: 100, what, .. } if what == expected),
            "bit {bit}"
        );
        disk.flip(bit);
    }
    assert!(read(&record, 3).is_ok());
}

#[test]
fn a_changed_value_is_told_before_what_the_decoder_made_of_it() {
    let disk = FaultDisk::default();
    let record = write(&store(&disk, None), &value(1, 200_000), 1000).unwrap();
    disk.flip(8 * 150_000);
    let stopped = record.read(|_| Err::<(), _>(io::Error::other("bad tag"))).unwrap_err();
    let panicked = record.read(|_| -> io::Result<()> { panic!("index out of bounds") }).unwrap_err();
    for error in [stopped, panicked] {
        assert!(matches!(error, SpillError::Corrupt { what: "checksum", .. }), "{error}");
    }
}

#[test]
fn a_file_that_became_shorter_is_seen() {
    let disk = FaultDisk::default();
    let record = write(&store(&disk, None), &value(1, 5000), 5000).unwrap();
    for len in [5031, 4096, 32, 31, 0] {
        disk.truncate(len);
        assert!(matches!(read(&record, 5000).unwrap_err(), SpillError::Corrupt { what: "length", .. }));
    }
}

#[test]
fn decoders_that_fail_or_stop_early_get_their_own_errors() {
    let store = store(&FaultDisk::default(), None);
    let record = write(&store, &value(1, 100), 100).unwrap();
    let early = record.read(|from| from.read_exact(&mut [0; 60])).unwrap_err();
    assert!(matches!(early, SpillError::Unread { read: 60, bytes: 100 }), "{early}");
    let greedy = record.read(|from| from.read_exact(&mut [0; 101])).unwrap_err();
    assert!(
        matches!(&greedy, SpillError::Decode { source } if source.kind() == io::ErrorKind::UnexpectedEof)
    );
    assert_eq!(store.stats().read, 0);
}

#[test]
#[should_panic(expected = "broken decoder")]
fn a_panic_of_a_decoder_on_good_bytes_goes_on() {
    let record = write(&store(&FaultDisk::default(), None), b"good", 4).unwrap();
    let _unreachable = record.read(|_| -> io::Result<()> { panic!("broken decoder") });
}

#[test]
fn encoders_that_fail_or_panic_leave_nothing() {
    let disk = FaultDisk::default();
    let store = store(&disk, None);
    let big = value(1, PIECE);
    let error = store.write(|out| out.write_all(&big).and(Err(io::Error::other("no")))).unwrap_err();
    assert!(matches!(error, SpillError::Encode { .. }));
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        store.write(|out| {
            out.write_all(&big)?;
            panic!("broken encoder");
        })
    }));
    assert!(panic.is_err());
    assert_eq!((store.stats().on_disk, disk.open_files()), (0, 0));
}

#[test]
fn a_failure_the_encoder_ignores_is_not_lost() {
    let disk = FaultDisk::default();
    let store = store(&disk, None);
    disk.fail(Call::Write, 0, Fault::Io);
    let big = value(1, PIECE);
    let error = store.write(|out| out.write_all(&big).or(Ok(()))).unwrap_err();
    assert!(matches!(error, SpillError::Io { operation: "write", bytes, .. } if bytes == PIECE as u64));
}

#[test]
fn errors_of_each_call_are_named_and_harmless_ones_are_not_seen() {
    for call in [Call::Open, Call::Reserve, Call::Write] {
        let disk = FaultDisk::default();
        let store = store(&disk, None);
        disk.fail(call, 0, Fault::NoSpace);
        let error = write(&store, &value(1, 10), 10).unwrap_err();
        assert!(error.is_full(), "{call:?}");
        assert!(
            error.to_string().contains("/faulty") && error.to_string().contains("set another"),
            "{error}"
        );
        assert!(std::error::Error::source(&error).is_some());
        assert_eq!((store.stats().on_disk, disk.open_files()), (0, 0));
        assert!(write(&store, &value(1, 10), 10).is_ok());
    }
    let disk = FaultDisk::default();
    let store = store(&disk, None);
    for fault in [Fault::Short, Fault::Interrupted] {
        disk.fail(Call::Write, 0, fault);
        let record = write(&store, &value(1, 100_000), 100_000).unwrap();
        disk.fail(Call::Read, 1, fault);
        assert!(read(&record, 100_000).unwrap() == value(1, 100_000));
        assert!(disk.heal(), "both faults came");
    }
}

#[test]
fn a_write_that_moves_nothing_is_an_error_and_not_a_loop() {
    let disk = FaultDisk::default();
    disk.fail(Call::Write, 0, Fault::Nothing);
    let error = write(&store(&disk, None), &[1; 10], 10).unwrap_err();
    assert!(matches!(error, SpillError::Io { source, .. } if source.kind() == io::ErrorKind::WriteZero));
}

#[test]
fn the_limit_is_kept_and_space_comes_back() {
    let disk = FaultDisk::default();
    let store = store(&disk, Some(10 * BLOCK));
    let first = write(&store, &value(1, 6 * BLOCK as usize - 32), 4000).unwrap();
    let error = write(&store, &value(2, 5 * BLOCK as usize - 32), 4000).unwrap_err();
    assert!(matches!(error, SpillError::Full { limit, .. } if limit == 10 * BLOCK), "{error}");
    assert_eq!(store.stats().on_disk, 6 * BLOCK);
    drop(first);
    assert!(write(&store, &value(2, 10 * BLOCK as usize - 32), 4000).is_ok());
    assert_eq!(store.stats().most_on_disk, 10 * BLOCK);
}

#[test]
fn files_do_not_multiply_when_values_come_and_go() {
    for holes in [true, false] {
        let disk = FaultDisk::default();
        if !holes {
            disk.refuse_holes();
        }
        let store = store(&disk, None);
        let mut live: Vec<Option<SpillRecord>> = (0..20).map(|_| None).collect();
        for turn in 0..2000_u64 {
            let len = 1000 + (turn * 7919 % 40_000) as usize;
            live[(turn * 13 % 20) as usize] = Some(write(&store, &value(turn, len), usize::MAX).unwrap());
        }
        assert!(disk.open_files() <= 4, "{} files", disk.open_files());
        assert!(store.stats().most_on_disk < 2_000_000, "{:?}", store.stats());
        drop(live);
        assert_eq!((store.stats().on_disk, disk.open_files()), (0, 0));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_device_that_is_full_says_so() {
    #[derive(Debug)]
    struct Full;
    impl Disk for Full {
        fn open(&self, _: &Path) -> io::Result<Arc<dyn SegmentFile>> {
            Ok(Arc::new(std::fs::OpenOptions::new().read(true).write(true).open("/dev/full")?))
        }
    }
    let store = SpillStore::on_disk(Box::new(Full), "/dev".into(), None, SEGMENT);
    let error = write(&store, &value(1, 10), 10).unwrap_err();
    assert!(matches!(error, SpillError::Io { operation: "write", .. }) && error.is_full(), "{error}");
    assert_eq!(store.stats().on_disk, 0);
}

#[cfg(unix)]
#[test]
fn a_file_that_had_a_name_has_lost_it_and_works() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let directory = std::env::temp_dir().join(format!("chunkwise-unlinked-{}", std::process::id()));
    std::fs::create_dir(&directory).unwrap();
    let mut file = disk::open_and_unlink(&directory).unwrap();
    let metadata = file.metadata().unwrap();
    assert_eq!((metadata.nlink(), metadata.permissions().mode() & 0o777), (0, 0o600));
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0);
    file.write_all(b"still here").unwrap();
    std::fs::remove_dir(&directory).unwrap();
}

/// One step of a random history.
#[derive(Clone, Debug)]
enum Step {
    Write { len: usize, slice: usize },
    Read { which: usize, slice: usize },
    Drop { which: usize },
    Fail { call: Call, good: u32, fault: Fault },
}

fn step() -> impl Strategy<Value = Step> {
    let len = prop_oneof![0_usize..200, 0_usize..200_000, 0_usize..500_000];
    let slice = prop_oneof![1_usize..5000, 60_000_usize..2_000_000];
    let call = prop_oneof![Just(Call::Open), Just(Call::Reserve), Just(Call::Write), Just(Call::Read)];
    let fault = prop_oneof![
        Just(Fault::NoSpace),
        Just(Fault::Io),
        Just(Fault::Interrupted),
        Just(Fault::Short),
        Just(Fault::Flip)
    ];
    prop_oneof![
        4 => (len, slice.clone()).prop_map(|(len, slice)| Step::Write { len, slice }),
        3 => (0_usize..8, slice).prop_map(|(which, slice)| Step::Read { which, slice }),
        2 => (0_usize..8).prop_map(|which| Step::Drop { which }),
        2 => (call, 0_u32..4, fault).prop_map(|(call, good, fault)| Step::Fail { call, good, fault }),
    ]
}

/// A store beside the truth about it.
struct Model {
    disk: FaultDisk,
    store: SpillStore,
    records: HashMap<usize, (SpillRecord, Vec<u8>)>,
    /// A fault that has been set up and may have struck.
    fault: Option<Fault>,
}

impl Model {
    fn apply(&mut self, index: usize, step: &Step) {
        match *step {
            Step::Write { len, slice } => self.write(index, &value(index as u64, len), slice),
            Step::Read { which, slice } => self.read(which, slice),
            Step::Drop { which } => drop(self.records.remove(&self.key(which))),
            Step::Fail { call, good, fault } => self.fail(call, good, fault),
        }
        let live: u64 =
            self.records.values().map(|(_, bytes)| (bytes.len() as u64 + 32).div_ceil(BLOCK)).sum();
        assert!(self.store.stats().on_disk >= live * BLOCK);
    }

    /// A flipped bit can happen to reads only.
    fn fail(&mut self, call: Call, good: u32, fault: Fault) {
        let fault = if call != Call::Read && fault == Fault::Flip { Fault::Io } else { fault };
        // One fault at a time, so that it is known which one struck.
        self.disk.heal();
        self.disk.fail(call, good, fault);
        self.fault = Some(fault);
    }

    /// Whether the fault struck in the last call.
    fn struck(&mut self) -> Option<Fault> {
        let pending = self.disk.is_scripted();
        self.fault.take_if(|_| !pending)
    }

    fn key(&self, which: usize) -> usize {
        let mut keys: Vec<usize> = self.records.keys().copied().collect();
        keys.sort_unstable();
        keys.get(which % keys.len().max(1)).copied().unwrap_or(usize::MAX)
    }

    fn write(&mut self, index: usize, bytes: &[u8], slice: usize) {
        let result = write(&self.store, bytes, slice);
        match (result, self.struck()) {
            (Ok(record), struck) => {
                assert!(struck.is_none_or(Fault::is_harmless), "{struck:?} was not reported");
                self.records.insert(index, (record, bytes.to_vec()));
            }
            (Err(SpillError::Full { .. }), _) => {}
            (Err(error), struck) => assert!(struck.is_some_and(|fault| !fault.is_harmless()), "{error}"),
        }
    }

    fn read(&mut self, which: usize, slice: usize) {
        let Some((record, bytes)) = self.records.get(&self.key(which)) else { return };
        let result = read(record, slice).map(|found| assert!(found == *bytes, "a wrong value"));
        match (result, self.struck()) {
            (Ok(()), struck) => assert!(struck.is_none_or(Fault::is_harmless), "{struck:?} was not reported"),
            (Err(SpillError::Corrupt { .. }), Some(Fault::Flip)) => {}
            (Err(SpillError::Io { .. }), Some(Fault::NoSpace | Fault::Io)) => {}
            (Err(error), struck) => panic!("{error} after {struck:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_gives_true_values_or_errors_and_ends_empty(
        steps in prop::collection::vec(step(), 1..40),
        limit in prop_oneof![Just(None), (0_u64..1_500_000).prop_map(Some)],
        holes: bool,
        segment in prop_oneof![Just(SEGMENT), Just(16 * SEGMENT)],
    ) {
        let disk = FaultDisk::default();
        if !holes {
            disk.refuse_holes();
        }
        let store = SpillStore::on_disk(Box::new(disk.clone()), "/faulty".into(), limit, segment);
        let mut model = Model { disk, store, records: HashMap::new(), fault: None };
        for (index, step) in steps.iter().enumerate() {
            model.apply(index, step);
        }
        if let Some(limit) = limit {
            prop_assert!(model.store.stats().most_on_disk <= limit);
        }
        model.records.clear();
        prop_assert_eq!((model.store.stats().on_disk, model.disk.open_files()), (0, 0));
    }
}
