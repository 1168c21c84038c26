#!/usr/bin/env bash
# scapy and python-pcapng ignore a pcapng interface's time offset: a capture of 2026 starts in 1970.
#
# Expected: pcapng, option if_tsoffset (14): a signed 64-bit number of seconds to add to each timestamp of the interface
#   (0 if absent). Files with units below a nanosecond need it, and tools write it to keep stamps small.
# Seen (scapy 2.8.0, python-pcapng 2.1.1, dpkt 1.9.8, tshark 4.0.17, tcpdump 4.99.3): with an offset of 1767225600 and
#   a stamp of 1.5 s, tshark, tcpdump and dpkt say 1767225601.5; scapy and python-pcapng say 1.5. With the offset
#   -3600, those two are an hour late. Neither warns; the option is in what they parsed.
# For a flow monitor: a reader needs a test with an offset, positive and negative; a writer should leave it out.
# Needs: root for installing; Debian packages tshark, tcpdump; python3 with venv and pip. Takes half a minute.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
deb() { # package, upstream version that this was recorded with
    dpkg -s "$1" >/dev/null 2>&1 || apt-get -qq install -y --no-install-recommends "$1" >/dev/null
    local version; version=$(dpkg-query -W -f '${Version}' "$1"); echo "$1 $version"
    [[ $version =~ ^([0-9]+:)?"$2"[-+] ]] || [ "${ANY_VERSION:-}" ] || { echo "recorded with $1 $2" >&2; exit 3; }
}
deb tshark 4.0.17; deb tcpdump 4.99.3
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install dpkt==1.9.8 scapy==2.8.0 python-pcapng==2.1.1
echo "dpkt 1.9.8, scapy 2.8.0, python-pcapng 2.1.1"
cat > read.py <<'P'
import struct, subprocess, sys
import dpkt, pcapng
from scapy.all import PcapReader
def block(kind, body): return struct.pack("<II", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))
ip = struct.pack(">BBHHHBBH", 0x45, 0, 28, 1, 0, 64, 17, 0) + bytes([192, 0, 2, 1, 198, 51, 100, 1]) + struct.pack(">HHHH", 1000, 2000, 8, 0)
def run(*command): return subprocess.run(command, capture_output=True, text=True).stdout.split()[0]
same = True
for offset, stamp in ((1767225600, 1500000), (-3600, (1767225601 + 3600) * 10**6 + 500000)):
    with open("x.pcapng", "wb") as f:
        f.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
        f.write(block(1, struct.pack("<HHIHHqI", 101, 0, 0, 14, 8, offset, 0)))
        f.write(block(6, struct.pack("<IIIII", 0, stamp >> 32, stamp & 0xFFFFFFFF, 28, 28) + ip))
    times = {"tshark": run("tshark", "-r", "x.pcapng", "-T", "fields", "-e", "frame.time_epoch"),
             "tcpdump": run("tcpdump", "-ttnr", "x.pcapng"),
             "dpkt": next(iter(dpkt.pcapng.Reader(open("x.pcapng", "rb"))))[0],
             "scapy": next(iter(PcapReader("x.pcapng"))).time,
             "python-pcapng": [b.timestamp for b in pcapng.FileScanner(open("x.pcapng", "rb")) if hasattr(b, "timestamp")][0]}
    print("offset %d s, stamp %.1f s, so the packet is of 1767225601.5:" % (offset, stamp / 10**6))
    for tool, t in times.items():
        recorded = stamp / 10**6 + (0 if tool in ("scapy", "python-pcapng") else offset)
        print("   %-14s %.1f" % (tool, float(t)))
        same &= abs(float(t) - recorded) < 0.01
if not same: sys.exit("CHANGED: recorded that scapy and python-pcapng ignore the offset and the others do not")
print("as recorded")
P
venv/bin/python read.py 2>read.log || { cat read.log >&2; exit 1; }
