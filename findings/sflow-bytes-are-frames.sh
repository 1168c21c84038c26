#!/usr/bin/env bash
# The same packet has 100 bytes in nfdump and pmacct if it came by IPFIX, and 118 if it came by sFlow.
#
# Expected: one column, one meaning. IPFIX octetDeltaCount (IANA element 1) counts the IP header and payload. sFlow
#   version 5 gives frame_length, "original length of packet before sampling", with the link header and the frame's
#   checksum: a collector that fills the same column can subtract both, since the IP header is in the sample.
# Seen (nfdump 1.7.1, pmacct 1.7.7): an IP packet of 100 bytes, Ethernet and 4 bytes of stripped checksum around it,
#   sampled at 1 in 1,000. nfcapd's record of an IPFIX exporter says 100 bytes a packet; sfcapd's of the sFlow agent
#   says 118 (118,000 for 1,000 packets), as does sfacctd, where nfacctd says 100. A 29-byte packet, padded
#   to the shortest frame, counts 64: more than double.
# For a flow monitor: totals of sFlow and IPFIX exporters in one collector differ by 1 % (full packets) to 120 %
#   (small ones); subtract the link header and the checksum, or compare packets.
# Needs: root for installing; Debian packages nfdump, nfdump-sflow, pmacct; python3; loopback only. Takes ten seconds.
set -euo pipefail
dir=$(mktemp -d) pids=''
trap 'kill $pids 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
deb() { # package, upstream version that this was recorded with
    dpkg -s "$1" >/dev/null 2>&1 || apt-get -qq install -y --no-install-recommends "$1" >/dev/null
    local version; version=$(dpkg-query -W -f '${Version}' "$1"); echo "$1 $version"
    [[ $version =~ ^([0-9]+:)?"$2"[-+] ]] || [ "${ANY_VERSION:-}" ] || { echo "recorded with $1 $2" >&2; exit 3; }
}
deb nfdump 1.7.1; deb nfdump-sflow 1.7.1; deb pmacct 1.7.7

cat > send.py <<'P'
import socket, struct, sys, time
def ip_packet(n, payload):
    udp = struct.pack(">HHHH", 1000, 53, 8 + payload, 0) + bytes(payload)
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0) + bytes([192, 0, 2, n, 198, 51, 100, n]) + udp
def sflow(sequence, ip):
    frame = (bytes.fromhex("0200000000020200000000010800") + ip).ljust(60, b"\0")
    header = struct.pack(">IIII", 1, len(frame) + 4, 4, len(frame)) + frame + bytes(-len(frame) % 4)
    sample = struct.pack(">IIIIIIIIII", sequence, 5, 1000, 1000 * sequence, 0, 5, 6, 1, 1, len(header)) + header
    return struct.pack(">II4sIIIIII", 5, 1, bytes([192, 0, 2, 250]), 0, sequence, 1000, 1, 1, len(sample)) + sample
def ipfix(sequence, ip):
    now = int(time.time())
    template = struct.pack(">HHHH14H", 2, 36, 256, 7, 8, 4, 12, 4, 4, 1, 1, 8, 2, 8, 152, 8, 153, 8)
    data = struct.pack(">HH", 256, 4 + 41) + ip[12:20] + b"\x11" + struct.pack(">QQQQ", 1000 * len(ip), 1000, now * 1000, now * 1000)
    body = template + data
    return struct.pack(">HHIII", 10, 16 + len(body), now, sequence - 1, 1) + body
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(("127.0.0.1", int(sys.argv[2])))
for n, payload in ((1, 72), (2, 1), (3, 1472)): s.send(globals()[sys.argv[1]](n, ip_packet(n, payload))); time.sleep(0.1)
P
free_port() { python3 -c 'import socket;s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);s.bind(("127.0.0.1",0));print(s.getsockname()[1])'; }
listening() { for _ in $(seq 100); do ss -Hlun | grep -q ":$1 " && return; sleep 0.1; done; echo "nobody listens on $1" >&2; return 2; }
nfdump_reads() { # collector, protocol
    local port; port=$(free_port); mkdir "$1.d"
    "$1" -l "$1.d" -p "$port" -b 127.0.0.1 -I x >"$1.log" 2>&1 & local pid=$!; pids="$pids $pid"
    listening "$port"; python3 send.py "$2" "$port"; sleep 0.5; kill $pid; wait $pid || true
    nfdump -q -N -R "$1.d" -O tstart -o 'fmt:%sa %pkt %byt' | awk '{print $1, $3 / $2}' | sort
}
pmacct_reads() { # daemon, protocol
    local port; port=$(free_port)
    printf '%s\n' 'daemonize: false' "$1_ip: 127.0.0.1" "$1_port: $port" 'plugins: print' 'aggregate: src_host' "$1_renormalize: true" \
        'print_refresh_time: 2' 'print_output: csv' "print_output_file: $dir/$1.csv" 'print_output_file_append: true' > "$1.conf"
    "$1" -f "$1.conf" >"$1.log" 2>&1 & local pid=$!; pids="$pids $pid"
    listening "$port"; python3 send.py "$2" "$port"; sleep 3; kill -INT $pid; wait $pid || true
    awk -F, '$1 ~ /^[0-9]/ {print $1, $3 / $2}' "$1.csv" | sort
}
nfdump_reads nfcapd ipfix > a; nfdump_reads sfcapd sflow > b; pmacct_reads nfacctd ipfix > c; pmacct_reads sfacctd sflow > d
echo "bytes a packet, of IP packets of 100, 29 and 1500 bytes:"
for x in "a nfcapd, IPFIX" "b sfcapd, sFlow" "c nfacctd, IPFIX" "d sfacctd, sFlow"; do echo "  ${x#* }: $(cut -d' ' -f2 "${x%% *}" | paste -sd' ')"; done
for x in a c; do [ "$(cut -d' ' -f2 $x | paste -sd' ')" = "100 29 1500" ] || { echo "CHANGED: IPFIX bytes" >&2; exit 1; }; done
for x in b d; do [ "$(cut -d' ' -f2 $x | paste -sd' ')" = "118 64 1518" ] || { echo "CHANGED: sFlow bytes" >&2; exit 1; }; done
echo "as recorded"
