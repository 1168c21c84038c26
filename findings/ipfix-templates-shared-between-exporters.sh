#!/usr/bin/env bash
# Two IPFIX exporters on one host overwrite each other's templates in nfcapd and nfacctd; flows come out reversed.
#
# Expected: RFC 7011 section 3.4.1: a Template ID is unique within a Transport Session and an Observation Domain;
#   section 2: over UDP a session is the combination of IP addresses AND ports.
# Seen (nfdump 1.7.1, pmacct 1.7.7): two sockets on one address, both with observation domain 1 and template 256.
#   The first lists source before destination, octets before packets; the second the other way round. Both collectors
#   keep one template per address and domain: the first exporter's record is then decoded with the second's
#   template. Source and destination are swapped, 5,000 octets in 7 packets become 7 octets in 5,000 packets, and no
#   counter or log line says so. tshark tells the sessions apart and decodes both.
# For a flow monitor: the domain id must differ between exporters behind one address (two daemons on a host, hosts
#   behind a NAT); a fixed default of 0 or 1 is a trap, and so are template ids that everybody takes (256).
# Needs: root for installing; Debian packages nfdump, pmacct, tshark; python3; loopback only. Takes ten seconds.
set -euo pipefail
dir=$(mktemp -d) pids=''
trap 'kill $pids 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
deb() { # package, upstream version that this was recorded with
    dpkg -s "$1" >/dev/null 2>&1 || apt-get -qq install -y --no-install-recommends "$1" >/dev/null
    local version; version=$(dpkg-query -W -f '${Version}' "$1"); echo "$1 $version"
    [[ $version =~ ^([0-9]+:)?"$2"[-+] ]] || [ "${ANY_VERSION:-}" ] || { echo "recorded with $1 $2" >&2; exit 3; }
}
deb nfdump 1.7.1; deb pmacct 1.7.7; deb tshark 4.0.17

cat > exporters.py <<'P'
import socket, struct, sys, time
LAYOUTS = ([8, 12, 7, 11, 4, 1, 2, 152, 153], [12, 8, 7, 11, 4, 2, 1, 152, 153])
now = int(time.time() * 1000)
def values(n):
    u16, u64 = struct.Struct(">H").pack, struct.Struct(">Q").pack
    return {8: bytes([192, 0, 2, n]), 12: bytes([198, 51, 100, n]), 7: u16(1000), 11: u16(80), 4: b"\x06",
            1: u64(5000), 2: u64(7), 152: u64(now - 1000), 153: u64(now)}
def message(set_id, body, sequence):
    return struct.pack(">HHIIIHH", 10, 20 + len(body), now // 1000, sequence, 1, set_id, 4 + len(body)) + body
def template(layout): return struct.pack(">HH", 256, len(layout)) + b"".join(struct.pack(">HH", i, len(values(1)[i])) for i in layout)
def record(layout, n): return b"".join(values(n)[i] for i in layout)
if sys.argv[1] == "capture":  # the same four datagrams as a pcap file, for tshark
    def capture(port, payload):
        udp = struct.pack(">HHHH", port, 4739, 8 + len(payload), 0) + payload
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + bytes([192, 0, 2, 254, 192, 0, 2, 255]) + udp
        out.write(struct.pack("<IIII", now // 1000, 0, len(ip), len(ip)) + ip)
    out = open("x.pcap", "wb"); out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
    senders = [lambda m, p=p: capture(p, m) for p in (50001, 50002)]
else:
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in LAYOUTS]
    for s in sockets: s.connect(("127.0.0.1", int(sys.argv[1])))
    senders = [lambda m, s=s: (s.send(m), time.sleep(0.1)) for s in sockets]
for send, layout in zip(senders, LAYOUTS): send(message(2, template(layout), 0))
for n, (send, layout) in enumerate(zip(senders, LAYOUTS), 1): send(message(256, record(layout, n), 0))
P
free_port() { python3 -c 'import socket;s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);s.bind(("127.0.0.1",0));print(s.getsockname()[1])'; }
listening() { for _ in $(seq 100); do ss -Hlun | grep -q ":$1 " && return; sleep 0.1; done; echo "nobody listens on $1" >&2; return 2; }

port=$(free_port); mkdir flows
nfcapd -l flows -p "$port" -b 127.0.0.1 -I x >nfcapd.log 2>&1 & collector=$!; pids="$pids $collector"
listening "$port"; python3 exporters.py "$port"; sleep 0.5; kill $collector; wait $collector || true
nfdump -q -N -R flows -o 'fmt:%sa %da %byt %pkt' | tr -s ' ' | sed 's/^ //; s/ $//' | sort > nfdump.txt

port=$(free_port)
printf '%s\n' 'daemonize: false' 'nfacctd_ip: 127.0.0.1' "nfacctd_port: $port" 'plugins: print' 'aggregate: src_host, dst_host' \
    'print_refresh_time: 2' 'print_output: csv' "print_output_file: $dir/nfacctd.csv" 'print_output_file_append: true' > nfacctd.conf
nfacctd -f nfacctd.conf >nfacctd.log 2>&1 & collector=$!; pids="$pids $collector"
listening "$port"; python3 exporters.py "$port"; sleep 3; kill -INT $collector; wait $collector || true
awk -F, '$1 ~ /^[0-9]/ {print $1, $2, $4, $3}' nfacctd.csv | sort > nfacctd.txt

python3 exporters.py capture
tshark -r x.pcap -d udp.port==4739,cflow -Y cflow.srcaddr -T fields -E separator=' ' -e cflow.srcaddr -e cflow.dstaddr -e cflow.octets -e cflow.packets 2>/dev/null > tshark.txt
printf 'sent: source destination octets packets\n192.0.2.1 198.51.100.1 5000 7\n192.0.2.2 198.51.100.2 5000 7\n'
for tool in nfdump nfacctd tshark; do echo "$tool:"; cat $tool.txt; done
printf '192.0.2.1 198.51.100.1 5000 7\n192.0.2.2 198.51.100.2 5000 7\n' | cmp -s - tshark.txt || { echo "CHANGED: tshark no longer decodes both" >&2; exit 1; }
for tool in nfdump nfacctd; do
    printf '192.0.2.2 198.51.100.2 5000 7\n198.51.100.1 192.0.2.1 7 5000\n' | cmp -s - $tool.txt || { echo "CHANGED: $tool" >&2; exit 1; }
done
echo "as recorded: the first exporter's flow is reversed in both collectors"
