#!/usr/bin/env bash
# sfacctd reads the ports of an IPv6 packet from inside its hop-by-hop header; pmacctd reads the same frame right.
#
# Expected: RFC 8200 section 4.3: a hop-by-hop header is (length + 1) * 8 octets long; the transport header follows.
#   MLD, RSVP and everything with a router alert carries one.
# Seen (pmacct 1.7.7): one frame, UDP from port 1003 to 53 behind a hop-by-hop header with a router alert. pmacctd on
#   a capture: 1003 and 53. sfacctd on an sFlow sample of it: 256 and 1003, which are the last two octets of the
#   hop-by-hop header (padding) and the real source port: it steps over 6 octets in place of 8. Without the
#   extension header both are right.
# For a flow monitor: a comparison of sFlow with another source shows ports that never were; trust them only where
#   the protocol follows the IPv6 header at once.
# Needs: root for installing; Debian package pmacct; python3; loopback only. Takes ten seconds.
set -euo pipefail
dir=$(mktemp -d) pids=''
trap 'kill $pids 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
deb() { # package, upstream version that this was recorded with
    dpkg -s "$1" >/dev/null 2>&1 || apt-get -qq install -y --no-install-recommends "$1" >/dev/null
    local version; version=$(dpkg-query -W -f '${Version}' "$1"); echo "$1 $version"
    [[ $version =~ ^([0-9]+:)?"$2"[-+] ]] || [ "${ANY_VERSION:-}" ] || { echo "recorded with $1 $2" >&2; exit 3; }
}
deb pmacct 1.7.7
port=$(python3 -c 'import socket;s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);s.bind(("127.0.0.1",0));print(s.getsockname()[1])')

cat > make.py <<'P'
import socket, struct, sys, time
def address(text): return socket.inet_pton(socket.AF_INET6, text)
udp = struct.pack(">HHHH", 1003, 53, 80, 0) + bytes(72)
hop_by_hop = bytes([17, 0, 5, 2, 0, 0, 1, 0])  # next header UDP, 8 octets, router alert 0, PadN
def frame(host, protocol, payload):
    return bytes.fromhex("02000000000202000000000186dd") + struct.pack(">IHBB", 6 << 28, len(payload), protocol, 64) \
        + address("2001:db8::%d" % host) + address("2001:db8:1::1") + payload
frames = [frame(1, 17, udp), frame(2, 0, hop_by_hop + udp)]
if sys.argv[1] == "capture":
    with open("x.pcap", "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for n, x in enumerate(frames): f.write(struct.pack("<IIII", 1767225600 + n, 0, len(x), len(x)) + x)
else:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(("127.0.0.1", int(sys.argv[1])))
    for n, x in enumerate(frames, 1):
        header = struct.pack(">IIII", 1, len(x) + 4, 4, len(x)) + x + bytes(-len(x) % 4)
        sample = struct.pack(">IIIIIIIIII", n, 5, 1, n, 0, 5, 6, 1, 1, len(header)) + header
        s.send(struct.pack(">II4sIIIIII", 5, 1, bytes([192, 0, 2, 250]), 0, n, 1000, 1, 1, len(sample)) + sample)
        time.sleep(0.1)
P
python3 make.py capture
print_plugin() { printf '%s\n' 'daemonize: false' 'plugins: print' 'aggregate: src_host, src_port, dst_port, proto' 'print_output: csv' "$@"; }
print_plugin "pcap_savefile: $dir/x.pcap" > pmacctd.conf
timeout 30 pmacctd -f pmacctd.conf 2>pmacctd.log | awk -F, '/2001/ {print $1, $2, $3}' | sort > pmacctd.txt
print_plugin 'sfacctd_ip: 127.0.0.1' "sfacctd_port: $port" 'print_refresh_time: 2' "print_output_file: $dir/sfacctd.csv" 'print_output_file_append: true' > sfacctd.conf
sfacctd -f sfacctd.conf >sfacctd.log 2>&1 & pids=$!
for _ in $(seq 100); do ss -Hlun | grep -q ":$port " && break; sleep 0.1; done
python3 make.py "$port"; sleep 3; kill -INT $pids; wait $pids || true
awk -F, '/2001/ {print $1, $2, $3}' sfacctd.csv | sort > sfacctd.txt
for tool in pmacctd sfacctd; do echo "$tool (source, source port, destination port):"; sed 's/^/  /' $tool.txt; done
printf '2001:db8::1 1003 53\n2001:db8::2 1003 53\n' | cmp -s - pmacctd.txt || { echo "CHANGED: pmacctd" >&2; exit 1; }
printf '2001:db8::1 1003 53\n2001:db8::2 256 1003\n' | cmp -s - sfacctd.txt || { echo "CHANGED: sfacctd" >&2; exit 1; }
echo "as recorded"
