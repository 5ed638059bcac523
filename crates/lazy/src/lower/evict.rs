//! What becomes of a block when memory is short, and of a read that fails.
//!
//! It owns the choice between disk and a second computation, the bytes of a block on disk, and which errors are worth
//! another attempt. When a block is evicted is planned by the scheduler.

use std::io;
use std::time::Duration;

use chunkwise_chunk::{Chunk, DType, ReadCost, SourceError};
use chunkwise_expr::{ElementOp, Op};
use chunkwise_scheduler::{BoxError, Eviction, Retry, SpillCodec};

use super::Value;
use super::blockwise::BlockOp;
use super::feed::Feed;
use crate::cost;

/// What becomes of the blocks of an operation, and why. A block that its task reads and computes all by itself is computed
/// again where its instructions cost less than writing the block to disk and reading it back; reading and decoding does.
/// Functions of the user's may take any time: what they made is kept. `spills` says whether there is a disk.
pub(super) fn eviction(
    op: &Op,
    block_op: &BlockOp,
    feeds: &[Feed],
    dtype: DType,
    spills: bool,
) -> (Eviction, &'static str) {
    let by_call = |feed: &Feed| matches!(feed, Feed::Source(source) if source.cost() >= ReadCost::Call);
    let computed = |feed: &Feed| matches!(feed, Feed::Blocks(..) | Feed::Object);
    match block_op {
        BlockOp::FromObject(_) => (Eviction::Spill, "it was made of a value"),
        BlockOp::Rule(rule, steps) if *steps > 1 || !rule.is_cheap() => {
            (Eviction::Spill, "it takes long to compute")
        }
        _ if calls_user(op) || feeds.iter().any(by_call) => (Eviction::Spill, "the user's function made it"),
        _ if feeds.iter().any(computed) => (Eviction::Spill, "it is made of blocks of others"),
        _ if spills && instructions(op) > cost::disk(dtype.itemsize() as f64, 1) => {
            (Eviction::Spill, "computing it again costs more than the disk")
        }
        _ => (Eviction::Rerun, "reading and computing it again costs less than the disk"),
    }
}

/// Nanoseconds of an element.
fn instructions(op: &Op) -> f64 {
    match op {
        Op::Element(op) => cost::instruction(op),
        Op::Fused(program, _) => cost::program(program),
        _ => 0.0,
    }
}

/// Whether a map calls a function of the user's.
pub(super) fn calls_user(op: &Op) -> bool {
    let is_call = |op: &ElementOp| matches!(op, ElementOp::Call(_));
    match op {
        Op::Element(op) => is_call(op),
        Op::Fused(program, _) => program.instrs().iter().any(|step| is_call(&step.op)),
        _ => false,
    }
}

/// Blocks on disk.
#[derive(Debug)]
pub(crate) struct BlockCodec;

impl SpillCodec<Value> for BlockCodec {
    fn write(&self, value: &Value, out: &mut dyn io::Write) -> io::Result<()> {
        match value {
            Value::Block(chunk) => chunk.write_to(out),
            _ => Err(io::Error::new(io::ErrorKind::Unsupported, "only blocks are written to disk")),
        }
    }

    fn read(&self, input: &mut dyn io::Read) -> io::Result<Value> {
        Chunk::read_from(input).map(Value::Block)
    }
}

/// A source that could not be read.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct ReadFailed(pub(super) SourceError);

/// Whether tasks with these feeds can fail in a way that another attempt may mend.
pub(super) fn may_fail_to_read(feeds: &[Feed], retry: Retry) -> bool {
    let reads = |feed: &Feed| matches!(feed, Feed::Source(source) if source.cost() >= ReadCost::Decode);
    retry != Retry::never() && feeds.iter().any(reads)
}

/// After which pause a task is run again that failed with this error.
pub(super) fn retry_read(
    retry: Retry,
    failed: u32,
    error: &(dyn std::error::Error + 'static),
) -> Option<Duration> {
    let ReadFailed(SourceError::Io { source, .. }) = error.downcast_ref()? else { return None };
    may_pass(source.kind()).then(|| retry.after(failed)).flatten()
}

/// Whether an I/O error may be over by the next attempt.
fn may_pass(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, NotFound, PermissionDenied, UnexpectedEof, Unsupported};
    !matches!(kind, InvalidData | InvalidInput | NotFound | PermissionDenied | UnexpectedEof | Unsupported)
}

/// The error of a task whose source could not be read.
pub(super) fn read_failed(error: SourceError) -> BoxError {
    Box::new(ReadFailed(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_io_errors_of_reads_that_may_pass_are_tried_again() {
        let retry = Retry::times(2).delay(Duration::from_millis(1));
        let io = |kind: io::ErrorKind| ReadFailed(SourceError::io("read", kind.into()));
        let after = |failed, error: &(dyn std::error::Error + 'static)| retry_read(retry, failed, error);
        assert!(after(1, &io(io::ErrorKind::TimedOut)).is_some());
        assert!(after(3, &io(io::ErrorKind::TimedOut)).is_none());
        assert!(after(1, &io(io::ErrorKind::NotFound)).is_none());
        assert!(after(1, &ReadFailed(SourceError::message("no"))).is_none());
        assert!(after(1, &SourceError::io("write", io::ErrorKind::TimedOut.into())).is_none());
    }
}
