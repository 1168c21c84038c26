#!/usr/bin/env bash
# tshark's Community ID of a tunnelled packet is the inner flow's; the reference implementation's is the outer one's.
#
# Expected: the Community ID specification (v1) hashes addresses, protocol and ports of "the flow", and exists so that
#   tools agree on a join key. Ports belong to it for TCP, UDP and SCTP (and type and code for ICMP).
# Seen (tshark 4.0.17, PyPI communityid 1.5.0, its tool community-id-pcap): for GRE, IP-in-IP and VXLAN, tshark's value
#   is that of the UDP flow inside and the tunnel has none; community-id-pcap gives the tunnel's and nothing for the
#   inside. One VXLAN tunnel with a thousand flows is a thousand ids in one and one in the other. A UDP-Lite flow (136) gets
#   from tshark the very id of the UDP flow (17) with its ports; the reference hashes 136. Plain UDP and SCTP agree.
# For a flow monitor: a record that has both flows needs both ids, and its documentation must say which is which.
# Needs: root for installing; Debian package tshark; python3 with venv and pip. Takes twenty seconds.
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
venv/bin/pip -q --disable-pip-version-check install communityid==1.5.0 dpkt==1.9.8
echo "communityid 1.5.0"
cat > compare.py <<'P'
import struct, subprocess, sys
import communityid
outer, inner = ("192.0.2.9", "198.51.100.1"), ("10.0.0.8", "10.1.0.8")
def ip(pair, protocol, payload):
    addresses = b"".join(bytes(map(int, a.split("."))) for a in pair)
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0) + addresses + payload
def udp(source, destination, payload=bytes(30)): return struct.pack(">HHHH", source, destination, 8 + len(payload), 0) + payload
ethernet = bytes.fromhex("0200000000020200000000010800")
inside = ip(inner, 17, udp(1008, 2000))
packets = {"udp": ip(outer, 17, udp(1000, 2000)), "sctp": ip(outer, 132, struct.pack(">HHII", 1000, 2000, 1, 0) + bytes([1, 0, 0, 20]) + bytes(16)),
           "gre": ip(outer, 47, struct.pack(">HH", 0, 0x0800) + inside), "ipip": ip(outer, 4, inside),
           "vxlan": ip(outer, 17, udp(1000, 4789, bytes.fromhex("0800000000000100") + ethernet + inside)), "udplite": ip(outer, 136, udp(1000, 2000))}
with open("x.pcap", "wb") as f:
    f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for n, x in enumerate(packets.values()): f.write(struct.pack("<IIII", 1767225600 + n, 0, len(x) + 14, len(x) + 14) + ethernet + x)
def run(*command): return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
tshark = run("tshark", "-r", "x.pcap", "--enable-protocol", "communityid", "-T", "fields", "-e", "communityid")
reference = [line.split(" | ")[1] for line in run("venv/bin/python", "venv/bin/community-id-pcap", "x.pcap")]
inner_id = communityid.CommunityID().calc(communityid.FlowTuple.make_udp(*inner, 1008, 2000))
print("the inner flow's id:", inner_id)
verdicts = {}
for name, a, b in zip(packets, tshark, reference):
    verdicts[name] = "same" if a == b else "inner" if a == inner_id else "udp" if a == tshark[0] else "other"
    print("  %-8s tshark %s  reference %s  %s" % (name, a, b, verdicts[name]))
if verdicts != {"udp": "same", "sctp": "same", "gre": "inner", "ipip": "inner", "vxlan": "inner", "udplite": "udp"}:
    sys.exit("CHANGED: recorded the same for udp and sctp, the inner flow's for gre, ipip and vxlan, udp's for udplite")
print("as recorded")
P
venv/bin/python compare.py
