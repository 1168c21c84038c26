#!/usr/bin/env bash
# The same frame weighs 100 bytes in nftables' netdev ingress hook and 114 in its egress hook.
#
# Expected: nft(8) says of a counter only that it counts packets and bytes. Both hooks of the netdev family
#   stand at the device, and both see every frame of it, so the two ends of one veth pair should agree with
#   each other and with the device's own counters (Documentation/networking/statistics.rst: tx_bytes and
#   rx_bytes hold the frame without its checksum).
# Seen (Linux 6.18, nftables 1.0.6): ten UDP packets of 100 bytes (IP) are 1,140 bytes for both devices and
#   for the egress hook, and 1,000 for the ingress hook: a counter adds skb->len, and the kernel has taken the
#   link header off before ingress. `meta length 100` matches at ingress and never at egress, likewise.
# For a flow monitor: two nft counters on one device cannot be compared without 14 bytes a packet (more with
#   VLAN tags); reconcile by packets, or add the link header to the ingress side.
# Needs: root (makes and removes two network namespaces), iproute2, nftables, python3. Takes a second.
set -euo pipefail
a=fnd-len-a-$$ b=fnd-len-b-$$
trap 'ip netns del $a 2>/dev/null || true; ip netns del $b 2>/dev/null || true' EXIT
echo "Linux $(uname -r), $(nft --version)"

for ns in $a $b; do
    ip netns add $ns
    ip netns exec $ns sysctl -qw net.ipv6.conf.default.disable_ipv6=1
done
ip -n $a link add v0 type veth peer name v0 netns $b
ip -n $a addr add 192.0.2.1/24 dev v0
ip -n $b addr add 192.0.2.2/24 dev v0
ip -n $a link set v0 up
ip -n $b link set v0 up
# Known neighbours: no ARP frame disturbs the counts.
ip -n $a neigh replace 192.0.2.2 lladdr "$(ip netns exec $b cat /sys/class/net/v0/address)" dev v0
ip -n $b neigh replace 192.0.2.1 lladdr "$(ip netns exec $a cat /sys/class/net/v0/address)" dev v0

ip netns exec $a nft -f - <<'N'
table netdev t {
    chain out { type filter hook egress device v0 priority 0; udp dport 9 counter name every; udp dport 9 meta length 100 counter name exact; }
    counter every { }
    counter exact { }
}
N
ip netns exec $b nft -f - <<'N'
table netdev t {
    chain in { type filter hook ingress device v0 priority 0; udp dport 9 counter name every; udp dport 9 meta length 100 counter name exact; }
    counter every { }
    counter exact { }
}
N
device() { ip -n "$1" -s -j link show v0 | python3 -c 'import json,sys;print(json.load(sys.stdin)[0]["stats64"][sys.argv[1]]["bytes"])' "$2"; }
nftbytes() { ip netns exec "$1" nft -j list counter netdev t "$2" | python3 -c 'import json,sys;c=[x["counter"] for x in json.load(sys.stdin)["nftables"] if "counter" in x][0];print(c["packets"],c["bytes"])'; }

tx=$(device $a tx) rx=$(device $b rx)
ip netns exec $a python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(10): s.sendto(bytes(72), ("192.0.2.2", 9))'
sleep 0.3

out=$(nftbytes $a every) in=$(nftbytes $b every) out100=$(nftbytes $a exact) in100=$(nftbytes $b exact)
echo "sender's device:   tx_bytes +$(($(device $a tx) - tx))"
echo "receiver's device: rx_bytes +$(($(device $b rx) - rx))"
echo "nft egress:  packets bytes $out; of length 100: $out100"
echo "nft ingress: packets bytes $in; of length 100: $in100"
[ "$out" = "10 1140" ] && [ "$in" = "10 1000" ] && [ "$out100" = "0 0" ] && [ "$in100" = "10 1000" ] ||
    { echo "CHANGED: egress should say 10 1140 and ingress 10 1000" >&2; exit 1; }
echo "as recorded: 114 bytes a packet at egress, 100 at ingress"
