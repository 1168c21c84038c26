#!/usr/bin/env bash
# A look-up from user space does not keep an entry of an LRU hash alive; the same look-up in a program does.
#
# Expected: an LRU map evicts what has not been used for longest. The kernel's Documentation/bpf/map_hash.rst names
#   no difference between bpf_map_lookup_elem() as a helper and as a library call.
# Seen (Linux 6.18): of a full map, 16 entries are looked up again and again, then half a map of new keys comes.
#   Looked up by a BPF program, all 16 stay; looked up by the system call, none does (the syscall path reads
#   without setting the reference bit).
# For a flow monitor: a daemon that polls the flows it cares about does not protect them, and one that reads the
#   whole table does not disturb the order either; only traffic counts as use.
# Needs: root (CAP_BPF, CAP_NET_ADMIN), python3. Takes a second.
set -euo pipefail
echo "Linux $(uname -r)"
python3 - <<'P'
import ctypes, os, platform, struct, sys
if platform.machine() != "x86_64": sys.exit("this script knows the bpf system call's number on x86_64 only")
libc = ctypes.CDLL(None, use_errno=True)
def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes, 144)
    result = libc.syscall(321, command, buffer, 144)
    if result < 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
address = ctypes.addressof
def call(command, fd, number, value):
    key = ctypes.create_string_buffer(struct.pack("<I", number), 4)
    return bpf(command, struct.pack("<IIQQQ", fd, 0, address(key), address(value), 0))
def present(fd, number):
    try: call(1, fd, number, ctypes.create_string_buffer(8)); return True
    except OSError: return False
def insn(code, dst=0, src=0, off=0, imm=0): return struct.pack("<BBhi", code, dst | src << 4, off, imm)

SIZE, WATCHED = 512, 16
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
def look_up_in_a_program(fd, number):
    """A socket filter that looks the key up and returns; it runs once by BPF_PROG_TEST_RUN."""
    code = insn(0x62, 10, 0, -4, number) + insn(0x18, 1, 1, 0, fd) + insn(0) + insn(0xBF, 2, 10) + insn(0x07, 2, 0, 0, -4) \
        + insn(0x85, imm=1) + insn(0xB7, 0) + insn(0x95)
    text, licence = ctypes.create_string_buffer(code, len(code)), ctypes.create_string_buffer(b"GPL")
    program = bpf(5, struct.pack("<IIQQIIQ", 1, len(code) // 8, address(text), address(licence), 0, 0, 0))
    packet = ctypes.create_string_buffer(64)
    bpf(10, struct.pack("<IIIIQQII", program, 0, 64, 0, address(packet), 0, 1, 0))
    os.close(program)
def look_up_by_system_call(fd, number): call(1, fd, number, ctypes.create_string_buffer(8))

def survivors(look_up):
    fd = bpf(0, struct.pack("<5I", 9, 4, 8, SIZE, 0))
    value = ctypes.create_string_buffer(8)
    for i in range(SIZE): call(2, fd, i, value)
    for _ in range(3):
        for i in range(WATCHED): look_up(fd, i)
    for i in range(SIZE, SIZE + SIZE // 2): call(2, fd, i, value)
    return sum(present(fd, i) for i in range(WATCHED))
by_call, by_program, never = survivors(look_up_by_system_call), survivors(look_up_in_a_program), survivors(lambda fd, i: None)
print(f"of {WATCHED} old entries stay: {by_program} looked up by a program, {by_call} by the system call, {never} not at all")
if (by_program, by_call, never) != (WATCHED, 0, 0): sys.exit("CHANGED: expected 16, 0 and 0")
print("as recorded")
P
