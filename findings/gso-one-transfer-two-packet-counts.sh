#!/usr/bin/env bash
# One TCP transfer is 7,000 packets to the queueing discipline and 170 to the device it sends through.
#
# Expected: counters of one packet path agree; RFC 4293 counts ipIfStatsInReceives and RFC 4022 tcpInSegs, and
#   no segment arrives without an IP packet, so InReceives >= InSegs and one host's OutSegs is the other's InSegs.
# Seen (Linux 6.18, veth with its default offloads): 10 MB leave as super-packets of up to 64 KB (GSO).
#   as wire packets: tcp OutSegs of the sender, `tc -s qdisc`, IpExt InNoECTPkts of the receiver   about 6,900
#   as super-packets: `ip -s link`, nft counters, Ip InReceives and tcp InSegs of the receiver           about 170
#   So the receiver's IpExt counts forty times the packets that its Ip line received, the two ends of one
#   connection disagree on its segments, and `tc` has 4 % more bytes than the device beneath it (it adds the
#   headers that every segment will carry).
# For a flow monitor: say which kind a packet count is, and compare only within a kind; a device's counters bound
#   the wire packets from below only.
# Needs: root (makes and removes two network namespaces), iproute2, nftables, python3. Takes two seconds.
set -euo pipefail
a=fnd-gso-a-$$ b=fnd-gso-b-$$
trap 'ip netns del $a 2>/dev/null || true; ip netns del $b 2>/dev/null || true' EXIT
echo "Linux $(uname -r), $(nft --version), $(tc -V)"

for ns in $a $b; do
    ip netns add $ns
    ip netns exec $ns sysctl -qw net.ipv6.conf.default.disable_ipv6=1
done
ip -n $a link add v0 type veth peer name v0 netns $b
ip -n $a addr add 192.0.2.1/24 dev v0
ip -n $b addr add 192.0.2.2/24 dev v0
ip -n $a link set v0 up
ip -n $b link set v0 up
tc -n $a qdisc add dev v0 root pfifo limit 10000
ip netns exec $b nft -f - <<'N'
table ip t {
    chain in { type filter hook prerouting priority 0; tcp dport 5000 counter name seen; }
    counter seen { }
}
N
ip netns exec $b python3 -c '
import socket
s = socket.create_server(("192.0.2.2", 5000)); c, _ = s.accept()
while c.recv(1 << 20): pass' &
server=$!
for _ in $(seq 50); do ip netns exec $b ss -Hltn | grep -q :5000 && break; sleep 0.1; done
ip netns exec $a python3 -c '
import socket
s = socket.create_connection(("192.0.2.2", 5000)); s.sendall(bytes(10_000_000)); s.shutdown(1); s.recv(1)'
wait $server

snmp() { ip netns exec "$1" python3 -c '
import sys
lines = [l.split() for f in ("snmp", "netstat") for l in open("/proc/net/" + f)]
for names, values in zip(lines[::2], lines[1::2]):
    if names[0] == sys.argv[1] + ":": print(dict(zip(names, values))[sys.argv[2]])' "$2" "$3"; }
json() { python3 -c "import json,sys; d=json.load(sys.stdin); print($1)"; }
out_segs=$(snmp $a Tcp OutSegs) in_segs=$(snmp $b Tcp InSegs)
in_receives=$(snmp $b Ip InReceives) ect=$(snmp $b IpExt InNoECTPkts)
read -r q_packets q_bytes < <(tc -n $a -s -j qdisc show dev v0 | json '[(q["packets"], q["bytes"]) for q in d if q.get("root")][0]' | tr -d '(),')
read -r l_packets l_bytes < <(ip -n $a -s -j link show v0 | json '(d[0]["stats64"]["tx"]["packets"], d[0]["stats64"]["tx"]["bytes"])' | tr -d '(),')
nft_packets=$(ip netns exec $b nft -j list counters | json '[c["counter"]["packets"] for c in d["nftables"] if "counter" in c][0]')
cat <<T
sender:   tcp OutSegs $out_segs, qdisc $q_packets packets $q_bytes bytes, device tx $l_packets packets $l_bytes bytes
receiver: IpExt InNoECTPkts $ect, Ip InReceives $in_receives, nft $nft_packets packets, tcp InSegs $in_segs
T
wire() { [ "$1" -gt 6000 ]; }
super() { [ "$1" -lt 2000 ]; }
if wire "$out_segs" && wire "$q_packets" && wire "$ect" && super "$l_packets" && super "$nft_packets" && super "$in_receives" &&
    super "$in_segs" && [ $((q_bytes - l_bytes)) -gt 300000 ]; then
    echo "as recorded: three counters hold wire packets, four hold super-packets"
else
    echo "CHANGED: a counter has moved from wire packets to super-packets or back" >&2
    exit 1
fi
