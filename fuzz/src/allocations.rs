//! Allocations: a length that an input claims must not become memory before it is checked.
//!
//! libFuzzer's own limits look at pages that were touched; a `Vec` reserved on an input's word is
//! not touched. So the allocator itself ends the process, which counts as a crash.

use std::alloc::{GlobalAlloc, Layout, System};

/// No input here is longer than some KiB, and nothing in the code under test has a reason to
/// take more than this at once.
const LARGEST: usize = 16 << 20;

struct Limited;

#[global_allocator]
static ALLOCATOR: Limited = Limited;

// SAFETY: hands everything on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Limited {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        check(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        check(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        check(size);
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        unsafe { System.dealloc(old, layout) }
    }
}

fn check(size: usize) {
    if size > LARGEST {
        // A panic must not leave an allocator; libFuzzer catches the signal and keeps the input.
        eprintln!("one allocation of {size} bytes: an input's length was believed");
        std::process::abort();
    }
}
