#!/usr/bin/env bash
# softflowd exports the Ethernet padding of short frames, and MPLS labels, as IP octets.
#
# Expected: IANA element 1 (octetDeltaCount, RFC 5102 section 5.10.1) and NetFlow v9's IN_BYTES: octets of the
#   IP packets, header and payload. An IP packet of 29 octets is 29 on every link.
# Seen (softflowd 1.1.0, by NetFlow v5, v9 and IPFIX alike): a UDP packet of 29 octets in a frame padded to 60 counts
#   46, all that follows the Ethernet header; a TCP ACK without options counts 46 in place of 40. A packet of 100
#   octets counts 100, and 104 behind one MPLS label. The IP header's total length is not looked at.
# For a flow monitor: where TCP timestamps are off, the way back of a download is ACKs of 40 octets: 15 % too high on
#   Ethernet and right on a link that does not pad (WLAN, PPP, veth). One flow has two sizes at two observation points.
# Needs: root for installing; Debian packages softflowd, nfdump; python3; loopback only. Takes ten seconds.
set -euo pipefail
dir=$(mktemp -d) pids=''
trap 'kill $pids 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
deb() { # package, upstream version that this was recorded with
    dpkg -s "$1" >/dev/null 2>&1 || apt-get -qq install -y --no-install-recommends "$1" >/dev/null
    local version; version=$(dpkg-query -W -f '${Version}' "$1"); echo "$1 $version"
    [[ $version =~ ^([0-9]+:)?"$2"[-+] ]] || [ "${ANY_VERSION:-}" ] || { echo "recorded with $1 $2" >&2; exit 3; }
}
deb softflowd 1.1.0; deb nfdump 1.7.1

python3 - <<'P'
import struct, time
def udp(n): return struct.pack(">HHHH", 1000, 53, 8 + n, 0) + bytes(n)
def tcp_ack(): return struct.pack(">HHIIBBHHH", 1000, 80, 1, 1, 0x50, 0x10, 8192, 0, 0)
def ip(host, protocol, payload):
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0) + bytes([192, 0, 2, host, 198, 51, 100, 1]) + payload
def frame(kind, payload): return (bytes.fromhex("020000000002020000000001") + struct.pack(">H", kind) + payload).ljust(60, b"\0")
frames = [frame(0x0800, ip(1, 17, udp(1))), frame(0x0800, ip(2, 6, tcp_ack())), frame(0x0800, ip(3, 17, udp(72))),
          frame(0x8847, struct.pack(">I", 16 << 12 | 0x140) + ip(4, 17, udp(72)))]
now = int(time.time()) - 10
with open("x.pcap", "wb") as f:
    f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for n, x in enumerate(frames): f.write(struct.pack("<IIII", now, n, len(x), len(x)) + x)
P
for version in 5 9 10; do
    port=$(python3 -c 'import socket;s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);s.bind(("127.0.0.1",0));print(s.getsockname()[1])')
    mkdir v$version
    nfcapd -l v$version -p "$port" -b 127.0.0.1 -I x >nfcapd.log 2>&1 & pids=$!
    for _ in $(seq 100); do ss -Hlun | grep -q ":$port " && break; sleep 0.1; done
    timeout 20 softflowd -r x.pcap -v $version -n "127.0.0.1:$port" >softflowd.log 2>&1
    sleep 0.5; kill $pids; wait $pids || true
    seen=$(nfdump -q -N -R v$version -o 'fmt:%sa %byt' | awk '{print $1, $2}' | sort | cut -d' ' -f2 | paste -sd' ')
    echo "version $version: octets exported of IP packets of 29, 40, 100 and (MPLS) 100 octets: $seen"
    [ "$seen" = "46 46 100 104" ] || { echo "CHANGED: recorded 46 46 100 104" >&2; exit 1; }
done
echo "as recorded"
