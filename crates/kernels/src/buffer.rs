//! Scratch memory of one evaluation: aligned to cache lines and reused by the next one on the same thread.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::cell::RefCell;
use std::ptr::NonNull;

/// Alignment: a cache line, which is also the widest vector.
const ALIGN: usize = 64;

/// Larger buffers go back to the allocator, so that an idle thread holds little.
const KEPT_BYTES: usize = 1 << 20;

/// Most buffers a thread keeps: registers, and strips of some operands.
const KEPT: usize = 4;

thread_local! {
    /// The buffers of the last evaluation on this thread. A program without scratch memory of its own would
    /// pay page faults for every block: 128 KiB and more come from the kernel, zeroed, each time.
    static SPARE: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

/// Initialised bytes of any value.
pub(crate) struct Buffer(Option<Block>);

struct Block {
    ptr: NonNull<u8>,
    bytes: usize,
}

impl Buffer {
    /// At least this many bytes.
    pub(crate) fn new(bytes: usize) -> Buffer {
        let spare = SPARE.try_with(|spare| take(&mut spare.borrow_mut(), bytes)).ok().flatten();
        Buffer(Some(spare.unwrap_or_else(|| Block::new(bytes))))
    }

    /// The first byte.
    pub(crate) fn as_mut_ptr(&mut self) -> *mut u8 {
        self.0.as_ref().map_or(std::ptr::null_mut(), |block| block.ptr.as_ptr())
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let block = self.0.take().filter(|block| block.bytes <= KEPT_BYTES);
        if let Some(block) = block {
            // Where the thread is ending the block is just freed.
            let _ = SPARE.try_with(|spare| keep(&mut spare.borrow_mut(), block));
        }
    }
}

/// The smallest block of at least this many bytes.
fn take(spare: &mut Vec<Block>, bytes: usize) -> Option<Block> {
    let fitting = spare.iter().enumerate().filter(|(_, block)| block.bytes >= bytes);
    let (best, _) = fitting.min_by_key(|(_, block)| block.bytes)?;
    Some(spare.swap_remove(best))
}

/// Keeps a block, and no more than [`KEPT`] of them and [`KEPT_BYTES`] in all: the oldest ones go.
fn keep(spare: &mut Vec<Block>, block: Block) {
    spare.push(block);
    while spare.len() > KEPT || spare.iter().map(|block| block.bytes).sum::<usize>() > KEPT_BYTES {
        spare.remove(0);
    }
}

impl Block {
    fn new(bytes: usize) -> Block {
        let bytes = bytes.max(ALIGN);
        let layout = Block::layout(bytes);
        // SAFETY: the size is not zero. Zeroed, because closures are given references into registers, and
        // a reference must not point to uninitialised memory.
        let ptr = unsafe { alloc_zeroed(layout) };
        Block { ptr: NonNull::new(ptr).unwrap_or_else(|| handle_alloc_error(layout)), bytes }
    }

    fn layout(bytes: usize) -> Layout {
        Layout::from_size_align(bytes, ALIGN).expect("scratch memory is smaller than the address space")
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with the same layout, and freed only here.
        unsafe { dealloc(self.ptr.as_ptr(), Block::layout(self.bytes)) }
    }
}
