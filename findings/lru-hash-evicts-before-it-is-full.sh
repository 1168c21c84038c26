#!/usr/bin/env bash
# An LRU hash evicts before it holds max_entries: every CPU that ever inserted keeps up to 128 free places to itself.
#
# Expected: the kernel's Documentation/bpf/map_hash.rst: an LRU hash evicts the least recently used entries when the
#   table reaches capacity; the one LRU list is shared by all CPUs unless BPF_F_NO_COMMON_LRU asks for one each.
# Seen (Linux 6.18, 2 CPUs): a map of 1,024 entries takes 1,024 from one CPU, but only 896 once the other CPU has
#   inserted a single entry: that CPU took a batch of 128 free places and no other CPU can have them. A map of 1,000
#   entries holds at most 976 even from one CPU (1,000 is no multiple of 128). A map of 64 keeps 48. Nothing
#   reports it: every update succeeds.
# For a flow monitor: size an LRU table for the flows wanted plus 128 for each CPU, and do not take "entries < max"
#   for "nothing was evicted".
# Needs: root (CAP_BPF), at least 2 CPUs, python3. Takes a second.
set -euo pipefail
echo "Linux $(uname -r), $(nproc) CPUs"
python3 - <<'P'
import ctypes, os, platform, struct, sys
if platform.machine() != "x86_64": sys.exit("this script knows the bpf system call's number on x86_64 only")
libc = ctypes.CDLL(None, use_errno=True)
def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes, 128)
    result = libc.syscall(321, command, buffer, 128)
    return result if result >= 0 else -ctypes.get_errno()
value = ctypes.create_string_buffer(8)
def insert(fd, number):
    key = ctypes.create_string_buffer(struct.pack("<I", number), 4)
    assert bpf(2, struct.pack("<IIQQQ", fd, 0, ctypes.addressof(key), ctypes.addressof(value), 0)) == 0
def count(fd):
    total, key, following = 0, 0, ctypes.create_string_buffer(4)
    while bpf(4, struct.pack("<IIQQQ", fd, 0, key, ctypes.addressof(following), 0)) == 0:
        total += 1; held = ctypes.create_string_buffer(following.raw, 4); key = ctypes.addressof(held)
    return total
cpus = sorted(os.sched_getaffinity(0))
if len(cpus) < 2: sys.exit("needs two CPUs")
def held(size, both):
    """How many of `size` different keys a map of `size` entries holds; the first from the second CPU if `both`."""
    fd = bpf(0, struct.pack("<5I", 9, 4, 8, size, 0))
    if fd < 0: sys.exit(f"cannot create the map: {os.strerror(-fd)} (root?)")
    if both: os.sched_setaffinity(0, {cpus[1]}); insert(fd, size)
    os.sched_setaffinity(0, {cpus[0]})
    for i in range(size - both): insert(fd, i)
    result = count(fd); os.close(fd)
    return result
rows = {size: (held(size, False), held(size, True)) for size in (64, 1000, 1024, 4096)}
for size, (one, two) in rows.items(): print(f"max_entries {size}: {size} keys from one CPU leave {one}, with one of them from another CPU {two}")
if not (rows[1024][0] == 1024 and all(two < size for size, (_, two) in rows.items()) and rows[4096][1] == 4096 - 128):
    sys.exit("CHANGED: expected a full map from one CPU, and 128 places lost (of 4,096) to a second one")
print("as recorded")
P
