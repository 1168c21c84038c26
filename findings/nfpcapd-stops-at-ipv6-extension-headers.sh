#!/usr/bin/env bash
# nfpcapd takes the first IPv6 extension header for the transport protocol: such flows have no ports, and protocol 0.
#
# Expected: IANA's element 4, protocolIdentifier: in IPv6 it is the Next Header field of the LAST extension header (RFC
#   8200 section 4: that names the upper-layer protocol).
# Seen (nfdump 1.7.1, pmacct 1.7.7): UDP behind hop-by-hop options, TCP behind destination options, UDP behind an
#   atomic fragment header. nfpcapd: protocols 0, 60 and 44, ports 0. pmacctd on the same file: udp, tcp, udp with ports.
# For a flow monitor: MLD and RSVP (router alert), segment routing and NAT64's atomic fragments fall out of every
#   filter on ports and protocol; compare such flows by address and bytes, which are right.
# Needs: root for installing; Debian packages nfdump, pmacct; python3. Takes three seconds.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
deb() { # package, upstream version that this was recorded with
    dpkg -s "$1" >/dev/null 2>&1 || apt-get -qq install -y --no-install-recommends "$1" >/dev/null
    local version; version=$(dpkg-query -W -f '${Version}' "$1"); echo "$1 $version"
    [[ $version =~ ^([0-9]+:)?"$2"[-+] ]] || [ "${ANY_VERSION:-}" ] || { echo "recorded with $1 $2" >&2; exit 3; }
}
deb nfdump 1.7.1; deb pmacct 1.7.7
python3 - <<'P'
import socket, struct
def frame(host, protocol, payload):
    source, destination = (socket.inet_pton(socket.AF_INET6, a) for a in ("2001:db8::%d" % host, "2001:db8:1::1"))
    return bytes.fromhex("02000000000202000000000186dd") + struct.pack(">IHBB", 6 << 28, len(payload), protocol, 64) + source + destination + payload
udp = struct.pack(">HHHH", 1000, 2000, 28, 0) + bytes(20)
tcp = struct.pack(">HHIIBBHHH", 1000, 2000, 1, 0, 0x50, 2, 8192, 0, 0)
frames = [frame(1, 17, udp),
          frame(2, 0, bytes([17, 0, 5, 2, 0, 0, 1, 0]) + udp),         # hop-by-hop: router alert, padding
          frame(3, 60, bytes([6, 0, 1, 4, 0, 0, 0, 0]) + tcp),         # destination options: padding
          frame(4, 44, struct.pack(">BBHI", 17, 0, 0, 9) + udp)]       # a fragment that is the whole packet (RFC 6946)
with open("x.pcap", "wb") as f:
    f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for n, x in enumerate(frames): f.write(struct.pack("<IIII", 1767225600, n, len(x), len(x)) + x)
P
mkdir flows
timeout 30 nfpcapd -r x.pcap -l flows >nfpcapd.log 2>&1
nfpcapd=$(nfdump -q -N -6 -R flows -o 'fmt:%sa %pr %sp %dp' | awk '{print substr($1, length($1)), $2, $3, $4}' | sort | paste -sd';' | sed 's/;/; /g')
printf '%s\n' 'daemonize: false' "pcap_savefile: $dir/x.pcap" 'plugins: print' 'aggregate: src_host, src_port, dst_port, proto' 'print_output: csv' > pmacctd.conf
pmacctd=$(timeout 30 pmacctd -f pmacctd.conf 2>pmacctd.log | awk -F, '/2001/ {print substr($1, length($1)), $4, $2, $3}' | sort | paste -sd';' | sed 's/;/; /g')
echo "host, protocol, source port, destination port:"
printf '  %-8s %s\n' nfpcapd "$nfpcapd" pmacctd "$pmacctd"
[ "$nfpcapd" = "1 17 1000 2000; 2 0 0 0; 3 60 0 0; 4 44 0 0" ] && [ "$pmacctd" = "1 udp 1000 2000; 2 udp 1000 2000; 3 tcp 1000 2000; 4 udp 1000 2000" ] ||
    { echo "CHANGED: recorded protocols 0, 60 and 44 without ports by nfpcapd, the real ones by pmacctd" >&2; exit 1; }
echo "as recorded"
