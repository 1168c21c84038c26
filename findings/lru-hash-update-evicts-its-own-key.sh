#!/usr/bin/env bash
# Updating a key that is present in a full LRU hash with BPF_EXIST can fail with ENOENT: the update evicts the key.
#
# Expected: bpf(2) lets BPF_EXIST "update an existing element"; ENOENT means that the key is not there. The kernel's
#   Documentation/bpf/map_hash.rst says that an LRU hash evicts entries when it reaches capacity, and an update in
#   place adds none.
# Seen (Linux 6.18): BPF_MAP_TYPE_LRU_HASH takes a free element first, for an existing key too; the map is full, so
#   it evicts a batch of the oldest entries (up to 128), the updated key among them if it is old. Then it looks for
#   the key: ENOENT, and the batch is lost. With a younger key the update succeeds and the batch is lost all the same.
#   BPF_MAP_TYPE_LRU_PERCPU_HASH updates in place: no error, nothing lost.
# For a flow monitor: change a flow's record through the pointer of a look-up, never by updating the key; a table
#   that is only refreshed still forgets flows.
# Needs: root (CAP_BPF), python3. Takes a second.
set -euo pipefail
echo "Linux $(uname -r), $(nproc) CPUs"
python3 - <<'P'
import ctypes, errno, os, platform, struct, sys
if platform.machine() != "x86_64": sys.exit("this script knows the bpf system call's number on x86_64 only")
libc = ctypes.CDLL(None, use_errno=True)
def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes, 128)
    result = libc.syscall(321, command, buffer, 128)
    return result if result >= 0 else -ctypes.get_errno()
def create(kind, key, value, entries): return bpf(0, struct.pack("<5I", kind, key, value, entries, 0))
def call(command, fd, key, other, flags=0):
    key = ctypes.create_string_buffer(key, 4) if key else None
    address = ctypes.addressof(key) if key else 0
    return bpf(command, struct.pack("<IIQQQ", fd, 0, address, ctypes.addressof(other), flags))
def keys(fd):
    found, key, following = [], None, ctypes.create_string_buffer(4)
    while call(4, fd, key, following) == 0: key = following.raw; found.append(struct.unpack("<I", key)[0])
    return found

LRU_HASH, LRU_PERCPU_HASH, BPF_EXIST, SIZE = 9, 10, 2, 512
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
value = ctypes.create_string_buffer(8 * 1024)
def full(kind):
    fd = create(kind, 4, 8, SIZE)
    if fd < 0: sys.exit(f"cannot create the map: {os.strerror(-fd)} (root?)")
    for i in range(SIZE): assert call(2, fd, struct.pack("<I", i), value) == 0
    return fd
seen = {}
for name, kind, key in (("LRU_HASH, oldest key", LRU_HASH, 0), ("LRU_HASH, youngest key", LRU_HASH, SIZE - 1), ("LRU_PERCPU_HASH, oldest key", LRU_PERCPU_HASH, 0)):
    fd = full(kind)
    before = keys(fd)
    assert key in before and len(before) == SIZE
    result = call(2, fd, struct.pack("<I", key), value, BPF_EXIST)
    after = keys(fd)
    print(f"{name}: {len(before)} entries, update of a present key: {errno.errorcode.get(-result, 'done')}, then {len(after)} entries")
    seen[name] = (result, len(after))
    os.close(fd)
oldest, youngest, percpu = seen.values()
if not (oldest[0] == -errno.ENOENT and oldest[1] < SIZE and youngest[0] == 0 and youngest[1] < SIZE and percpu == (0, SIZE)):
    sys.exit("CHANGED: expected ENOENT and a loss, success and a loss, success without loss")
print("as recorded")
P
