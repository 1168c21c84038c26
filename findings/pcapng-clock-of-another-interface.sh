#!/usr/bin/env bash
# dpkt reads every packet of a pcapng file with one interface's clock; scapy reads a second section with the first's.
#
# Expected: pcapng: every Interface Description Block has its own if_tsresol (microseconds if absent); an Enhanced Packet
#   Block's timestamp counts in the units of ITS interface. A Section Header Block starts anew: interface ids count
#   from 0 again, so files may be joined with cat.
# Seen (dpkt 1.9.8, scapy 2.8.0, tshark 4.0.17), two interfaces, one in microseconds and one in nanoseconds:
#   both in one section     scapy and tshark right; dpkt puts the second interface's packet in the year 57971
#   one section each        tshark's times are right, but it names the second section's interface by the first's name;
#                           scapy and dpkt both read the second packet in the year 57971
# For a flow monitor: merged files and captures from several kinds of device have this shape. Write one resolution for
#   all interfaces of a file, and join captures with mergecap, not with cat.
# Needs: root for installing; Debian package tshark; python3 with venv and pip. Takes half a minute.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
deb() { # package, upstream version that this was recorded with
    dpkg -s "$1" >/dev/null 2>&1 || apt-get -qq install -y --no-install-recommends "$1" >/dev/null
    local version; version=$(dpkg-query -W -f '${Version}' "$1"); echo "$1 $version"
    [[ $version =~ ^([0-9]+:)?"$2"[-+] ]] || [ "${ANY_VERSION:-}" ] || { echo "recorded with $1 $2" >&2; exit 3; }
}
deb tshark 4.0.17
python3 -m venv venv
venv/bin/pip -q --disable-pip-version-check install dpkt==1.9.8 scapy==2.8.0
echo "dpkt 1.9.8, scapy 2.8.0"
cat > read.py <<'P'
import struct, subprocess, sys
import dpkt
from scapy.all import PcapReader
def block(kind, body): return struct.pack("<II", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))
def section(): return block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
def interface(name, digits): return block(1, struct.pack("<HHI", 101, 0, 0) + struct.pack("<HH4s", 2, 4, name) + struct.pack("<HHBxxx", 9, 1, digits) + bytes(4))
def packet(interface, stamp): return block(6, struct.pack("<IIIII", interface, stamp >> 32, stamp & 0xFFFFFFFF, 28, 28) + ip)
ip = struct.pack(">BBHHHBBH", 0x45, 0, 28, 1, 0, 64, 17, 0) + bytes([192, 0, 2, 1, 198, 51, 100, 1]) + struct.pack(">HHHH", 1000, 2000, 8, 0)
second = 1767225600  # 2026-01-01
files = {"both in one section": section() + interface(b"lan0", 6) + interface(b"wan0", 9) + packet(0, second * 10**6) + packet(1, (second + 1) * 10**9),
         "one section each": section() + interface(b"lan0", 6) + packet(0, second * 10**6) + section() + interface(b"wan0", 9) + packet(0, (second + 1) * 10**9)}
seen = {}
for what, content in files.items():
    open("x.pcapng", "wb").write(content)
    tshark = [l.split() for l in subprocess.run(["tshark", "-r", "x.pcapng", "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.interface_name"],
                                                capture_output=True, text=True).stdout.splitlines()]
    times = {"tshark": [int(float(t)) for t, _ in tshark], "scapy": [int(p.time) for p in PcapReader("x.pcapng")],
             "dpkt": [int(t) for t, _ in dpkt.pcapng.Reader(open("x.pcapng", "rb"))]}
    names = [name for _, name in tshark]
    print(what + ", sent at seconds 0 and 1:")
    for tool, t in times.items(): print("   %-7s at %s" % (tool, [x - second for x in t]), names if tool == "tshark" else "")
    seen[what] = {tool: t == [second, second + 1] for tool, t in times.items()}, names
if seen != {"both in one section": ({"tshark": True, "scapy": True, "dpkt": False}, ["lan0", "wan0"]),
            "one section each": ({"tshark": True, "scapy": False, "dpkt": False}, ["lan0", "lan0"])}:
    sys.exit("CHANGED: see the header for what was recorded")
print("as recorded")
P
venv/bin/python read.py 2>read.log || { cat read.log >&2; exit 1; }
