#!/usr/bin/env bash
# nfpcapd makes a flow of every single packet to or from UDP port 53, and of no other port's.
#
# Expected: nfpcapd(1): flows end by the active (300 s) or inactive (60 s) timeout, -e; packets with the same five-tuple
#   inside are one flow. The page names no exception.
# Seen (nfdump 1.7.1): four packets each way between two ports within a millisecond. With port 53, eight records of one
#   packet each come out; with port 5300, 853, 5353 or 443, two records of four packets.
# For a flow monitor: compare DNS with nfdump by packets and bytes, never by number of flows or by duration (0 each).
# Needs: root for installing; Debian package nfdump; python3. Takes two seconds.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
deb() { # package, upstream version that this was recorded with
    dpkg -s "$1" >/dev/null 2>&1 || apt-get -qq install -y --no-install-recommends "$1" >/dev/null
    local version; version=$(dpkg-query -W -f '${Version}' "$1"); echo "$1 $version"
    [[ $version =~ ^([0-9]+:)?"$2"[-+] ]] || [ "${ANY_VERSION:-}" ] || { echo "recorded with $1 $2" >&2; exit 3; }
}
deb nfdump 1.7.1
python3 - <<'P'
import struct
def frame(source, destination, sport, dport):
    udp = struct.pack(">HHHH", sport, dport, 48, 0) + bytes(40)
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 68, 1, 0, 64, 17, 0) + bytes(source) + bytes(destination) + udp
    return bytes.fromhex("0200000000020200000000010800") + ip
client, server = (192, 0, 2, 1), (198, 51, 100, 1)
with open("x.pcap", "wb") as f:
    f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    microseconds = 0
    for port in (53, 5300, 853, 5353, 443):
        for x in [frame(client, server, 40000, port), frame(server, client, port, 40000)] * 4:
            f.write(struct.pack("<IIII", 1767225600, microseconds, len(x), len(x)) + x)
            microseconds += 100
P
mkdir flows
timeout 60 nfpcapd -r x.pcap -l flows >nfpcapd.log 2>&1
nfdump -q -N -R flows -o 'fmt:%sp %dp %pkt' | awk '{port = $1 == 40000 ? $2 : $1; records[port]++; packets[port] += $3}
    END {for (p in records) print p, records[p], packets[p]}' | sort -n > seen.txt
echo "port, records, packets (8 sent of each):"; sed 's/^/  /' seen.txt
printf '53 8 8\n443 2 8\n853 2 8\n5300 2 8\n5353 2 8\n' | cmp -s - seen.txt || { echo "CHANGED: recorded 8 records for port 53, 2 for the others" >&2; exit 1; }
echo "as recorded"
