#!/usr/bin/env bash
# One UDP datagram in two IPv4 fragments: four tools, four different counts of flows, packets and bytes.
#
# Expected: IANA elements 1 and 2 count IP packets and their octets; each fragment is an IP packet of its own with its
#   own header (RFC 791), and both belong to the datagram's ports. 2,000 bytes of payload: one flow, 2 packets,
#   1,500 + 548 = 2,048 octets.
# Seen:
#   pmacctd 1.7.7    one flow, 2 packets, 2,048 octets
#   softflowd 1.1.0  two flows: the ports with 1 packet of 1,500, and ports 0 with 1 packet of 548
#   nfpcapd 1.7.1    one flow, 1 packet of 2,028: the datagram put together, one header short and a packet short
#   tshark 4.0.17    `udp.port == 2049` finds 1 frame of 562 bytes, the LAST fragment; the first one has no ports at all
# For a flow monitor: "packets" of large DNS or NFS answers cannot be compared between these tools, and a filter on the
#   port keeps 27 %, 73 %, 99 % or all of the octets.
# Needs: root for installing; Debian packages pmacct, softflowd, nfdump, tshark; python3; loopback only. Five seconds.
set -euo pipefail
dir=$(mktemp -d) pids=''
trap 'kill $pids 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
deb() { # package, upstream version that this was recorded with
    dpkg -s "$1" >/dev/null 2>&1 || apt-get -qq install -y --no-install-recommends "$1" >/dev/null
    local version; version=$(dpkg-query -W -f '${Version}' "$1"); echo "$1 $version"
    [[ $version =~ ^([0-9]+:)?"$2"[-+] ]] || [ "${ANY_VERSION:-}" ] || { echo "recorded with $1 $2" >&2; exit 3; }
}
deb pmacct 1.7.7; deb softflowd 1.1.0; deb nfdump 1.7.1; deb tshark 4.0.17
python3 - <<'P'
import struct, time
def checksum(data):
    total = sum(struct.unpack(">10H", data))
    while total >> 16: total = (total & 0xFFFF) + (total >> 16)
    return struct.pack(">H", ~total & 0xFFFF)
def ip(offset_and_flags, payload):
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 7, offset_and_flags, 64, 17, 0) + bytes([192, 0, 2, 1, 198, 51, 100, 1])
    return header[:10] + checksum(header) + header[12:] + payload
udp = struct.pack(">HHHH", 1000, 2049, 2008, 0) + bytes(2000)
frames = [bytes.fromhex("0200000000020200000000010800") + x for x in (ip(0x2000, udp[:1480]), ip(1480 // 8, udp[1480:]))]
now = int(time.time()) - 10
with open("x.pcap", "wb") as f:
    f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for n, x in enumerate(frames): f.write(struct.pack("<IIII", now, n, len(x), len(x)) + x)
P
listing() { nfdump -q -N -R "$1" -o 'fmt:%sp %dp %pkt %byt' | tr -s ' ' | sed 's/^ //; s/ $//' | sort -r | paste -sd';'; }

printf '%s\n' 'daemonize: false' "pcap_savefile: $dir/x.pcap" 'plugins: print' 'aggregate: src_port, dst_port, proto' 'print_output: csv' > pmacctd.conf
pmacctd=$(timeout 30 pmacctd -f pmacctd.conf 2>pmacctd.log | awk -F, '/udp/ {print $1, $2, $4, $5}' | paste -sd';')
mkdir a b
port=$(python3 -c 'import socket;s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);s.bind(("127.0.0.1",0));print(s.getsockname()[1])')
nfcapd -l a -p "$port" -b 127.0.0.1 -I x >nfcapd.log 2>&1 & pids=$!
for _ in $(seq 100); do ss -Hlun | grep -q ":$port " && break; sleep 0.1; done
timeout 20 softflowd -r x.pcap -v 9 -n "127.0.0.1:$port" >softflowd.log 2>&1
sleep 0.5; kill $pids; wait $pids || true
softflowd=$(listing a)
timeout 30 nfpcapd -r x.pcap -l b >nfpcapd.log 2>&1
nfpcapd=$(listing b)
tshark=$(tshark -r x.pcap -Y udp.port==2049 -T fields -E separator=' ' -e udp.srcport -e udp.dstport -e frame.len 2>/dev/null | awk '{n++; b += $3; p = $1 " " $2} END {print p, n, b}')
echo "source port, destination port, packets, bytes (a semicolon between flows):"
printf '  %-10s %s\n' pmacctd "$pmacctd" softflowd "$softflowd" nfpcapd "$nfpcapd" tshark "$tshark"
[ "$pmacctd" = "1000 2049 2 2048" ] && [ "$softflowd" = "1000 2049 1 1500;0 0 1 548" ] && [ "$nfpcapd" = "1000 2049 1 2028" ] &&
    [ "$tshark" = "1000 2049 1 562" ] || { echo "CHANGED: see the header for what was recorded" >&2; exit 1; }
echo "as recorded"
