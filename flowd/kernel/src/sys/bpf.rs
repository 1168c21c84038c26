//! The calls of bpf(2) that aya does not offer.

use std::{
    io,
    os::fd::{AsRawFd as _, BorrowedFd, OwnedFd},
};

use super::pod::Bytes;

const MAP_LOOKUP_ELEM: libc::c_int = 1;
const MAP_UPDATE_ELEM: libc::c_int = 2;
const OBJ_GET_INFO_BY_FD: libc::c_int = 15;
const MAP_DELETE_BATCH: libc::c_int = 27;

/// The part of `union bpf_attr` for one element (linux/bpf.h).
#[repr(C)]
struct Element {
    map: u32,
    pad: u32,
    key: u64,
    value: u64,
    flags: u64,
}

/// The part of `union bpf_attr` for batches.
#[repr(C)]
struct Batch {
    in_batch: u64,
    out_batch: u64,
    keys: u64,
    values: u64,
    count: u32,
    map: u32,
    element_flags: u64,
    flags: u64,
}

/// The same for what the kernel tells of an object.
#[repr(C)]
struct Ask {
    object: u32,
    length: u32,
    answer: u64,
}

/// The beginning of `struct bpf_link_info` for links of TCX.
#[repr(C)]
#[derive(Default)]
struct Link {
    kind: u32,
    id: u32,
    program: u32,
    pad: u32,
    ifindex: u32,
    at: u32,
}

/// The index of the interface that a link of TCX is on; 0 once that has gone.
pub(crate) fn link_interface(link: BorrowedFd<'_>) -> io::Result<u32> {
    let mut answer = Link::default();
    let mut ask = Ask {
        object: link.as_raw_fd().unsigned_abs(),
        length: size_of::<Link>() as u32,
        answer: std::ptr::from_mut(&mut answer).expose_provenance() as u64,
    };
    // SAFETY: the answer has that length, and the kernel writes no more than that.
    unsafe { bpf(OBJ_GET_INFO_BY_FD, &mut ask) }?;
    Ok(answer.ifindex)
}

/// Copies the value of a key. The kernel copies it word by word, as programs write it.
///
/// # Safety
/// `key` and `value` point to as many bytes as keys and values of the map have.
pub(crate) unsafe fn lookup<K, V>(map: &OwnedFd, key: *const K, value: *mut V) -> io::Result<()> {
    let mut element = Element {
        map: number(map),
        pad: 0,
        key: key.expose_provenance() as u64,
        value: value.expose_provenance() as u64,
        flags: 0,
    };
    // SAFETY: as this function demands.
    unsafe { bpf(MAP_LOOKUP_ELEM, &mut element) }
}

/// Puts a value on top of a stack.
///
/// # Safety
/// `map` is a stack, and its values have as many bytes as `V`.
pub(crate) unsafe fn push<V: Bytes>(map: &OwnedFd, value: &V) -> io::Result<()> {
    let value = std::ptr::from_ref(value).expose_provenance() as u64;
    let mut element = Element { map: number(map), pad: 0, key: 0, value, flags: 0 };
    // SAFETY: a stack has no keys, and the value is as long as this function demands.
    unsafe { bpf(MAP_UPDATE_ELEM, &mut element) }
}

/// Copies what lies on top of a stack and leaves it there; `None` where the stack is empty.
///
/// # Safety
/// `map` is a stack, and its values have as many bytes as `V`.
pub(crate) unsafe fn peek<V: Bytes + Default>(map: &OwnedFd) -> io::Result<Option<V>> {
    let mut value = V::default();
    // SAFETY: a stack has no keys, and the value is as long as this function demands.
    match unsafe { lookup::<(), V>(map, std::ptr::null(), &raw mut value) } {
        Ok(()) => Ok(Some(value)),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes those of `keys` that are there.
///
/// # Safety
/// `K` has as many bytes as keys of the map have.
pub(crate) unsafe fn delete_all<K>(map: &OwnedFd, mut keys: &[K]) -> io::Result<()> {
    while !keys.is_empty() {
        let mut batch = Batch {
            in_batch: 0,
            out_batch: 0,
            keys: keys.as_ptr().expose_provenance() as u64,
            values: 0,
            count: u32::try_from(keys.len()).unwrap_or(u32::MAX),
            map: number(map),
            element_flags: 0,
            flags: 0,
        };
        // SAFETY: as this function demands.
        let result = unsafe { bpf(MAP_DELETE_BATCH, &mut batch) };
        let done = batch.count as usize;
        match result {
            Ok(()) => keys = keys.get(done.max(1)..).unwrap_or_default(),
            // The kernel stops at a key that is not there, and says how many it had removed before.
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {
                keys = keys.get(done + 1..).unwrap_or_default();
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn number(map: &OwnedFd) -> u32 {
    map.as_raw_fd().unsigned_abs()
}

/// # Safety
/// `attributes` is the part of `union bpf_attr` that `command` reads, and its pointers hold what it says.
unsafe fn bpf<T>(command: libc::c_int, attributes: &mut T) -> io::Result<()> {
    // SAFETY: as this function demands.
    let status =
        unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(attributes), size_of::<T>()) };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
