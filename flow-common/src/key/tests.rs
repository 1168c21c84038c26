use super::*;

fn scope() -> Scope {
    Scope {
        interface: 16_383,
        vlans: 4095 | 1 << 12 | 2 << 24,
        protocol: 255,
        ipv6: true,
        tunnel: TunnelKind::Teredo,
        tunnel_id: u32::MAX,
    }
}

#[test]
fn both_directions_share_a_key() {
    let (x, y) = (Endpoint::v4(1, 9), Endpoint::v4(2, 3));
    let (there, from) = FlowKey::new(x, y, &scope(), None);
    let (back, to) = FlowKey::new(y, x, &scope(), None);
    assert_eq!(there, back);
    assert_eq!(from.other(), to);
}

#[test]
fn fields_do_not_overlap() {
    let (key, _) = FlowKey::new(Endpoint::v4(1, 9), Endpoint::v4(2, 3), &scope(), Some(Direction::Egress));
    assert_eq!(key.vlans(), [4095, 1, 2]);
    assert_eq!(key.protocol(), 255);
    assert!(key.is_ipv6());
    assert_eq!(key.tunnel(), TunnelKind::Teredo);
    assert_eq!(key.interface(), 16_383);
}

#[test]
fn a_one_armed_router_makes_two_flows() {
    let (x, y) = (Endpoint::v4(1, 9), Endpoint::v4(2, 3));
    let (inwards, sender) = FlowKey::new(x, y, &scope(), Some(Direction::Ingress));
    let (outwards, _) = FlowKey::new(x, y, &scope(), Some(Direction::Egress));
    let (answer, _) = FlowKey::new(y, x, &scope(), Some(Direction::Egress));
    assert_ne!(inwards, outwards);
    assert_eq!(inwards, answer);
    assert_eq!(inwards.hook(sender), Direction::Ingress);
    assert_eq!(inwards.hook(sender.other()), Direction::Egress);
    assert_eq!(inwards.conversation(), outwards.conversation());
}

#[test]
fn one_host_talking_to_itself_is_ordered_by_port() {
    let (x, y) = (Endpoint::v4(1, 9), Endpoint::v4(1, 3));
    assert_eq!(FlowKey::new(x, y, &scope(), None).0, FlowKey::new(y, x, &scope(), None).0);
}
