//! Messages that another implementation writes and reads.

use proptest::{collection::vec, prelude::*};
use simple_dns::{
    CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, ResourceRecord, TYPE, rdata::RData,
};

use crate::dns::parse::Message;

fn names() -> impl Strategy<Value = String> {
    vec("[a-z0-9]{1,12}", 1..5).prop_map(|labels| labels.join("."))
}

proptest! {
    /// Compressed or not, what it writes is what we read.
    #[test]
    fn what_simple_dns_writes(
        id: u16,
        name in names(),
        addresses in vec(any::<u32>(), 0..6),
        alias in names(),
        compressed: bool,
    ) {
        let mut packet = Packet::new_reply(id);
        packet.set_flags(PacketFlag::TRUNCATION);
        let name = Name::new_unchecked(&name);
        packet.questions.push(Question::new(name.clone(), QTYPE::TYPE(TYPE::A), QCLASS::CLASS(CLASS::IN), false));
        let alias = RData::CNAME(simple_dns::rdata::CNAME(Name::new_unchecked(&alias)));
        packet.answers.push(ResourceRecord::new(name.clone(), CLASS::IN, 5, alias.clone()));
        for address in &addresses {
            let data = RData::A(simple_dns::rdata::A { address: *address });
            packet.answers.push(ResourceRecord::new(name.clone(), CLASS::IN, 5, data));
        }
        let bytes =
            if compressed { packet.build_bytes_vec_compressed() } else { packet.build_bytes_vec() }.unwrap();
        let ours = Message::read(&bytes, false).unwrap();
        prop_assert!(ours.response && ours.truncated);
        prop_assert_eq!((ours.id, ours.rcode, ours.questions.len()), (id, 0, 1));
        prop_assert_eq!(&ours.questions[0].name, &name.to_string());
        prop_assert_eq!((ours.questions[0].qtype, ours.questions[0].qclass), (1, 1));
        let mut expected = Vec::new();
        if let RData::CNAME(alias) = &alias {
            expected.push(alias.to_string());
        }
        expected.extend(addresses.iter().map(|address| std::net::Ipv4Addr::from(*address).to_string()));
        prop_assert_eq!(ours.answers, expected);
    }

    /// What it can read, we can, and the same questions.
    #[test]
    fn what_simple_dns_reads(mut bytes in vec(any::<u8>(), 12..80), shape in 0..4_u8) {
        // Few random headers make sense.
        for (at, value) in [(4, 0), (5, 1), (6, 0), (7, shape & 1), (8, 0), (9, 0), (10, 0), (11, 0)] {
            bytes[at] = value;
        }
        if let Ok(theirs) = Packet::parse(&bytes) {
            let ours = Message::read(&bytes, false);
            prop_assert!(ours.is_some(), "{theirs:?}");
            let ours = ours.unwrap();
            prop_assert_eq!(ours.id, theirs.id());
            prop_assert_eq!(ours.questions.len(), theirs.questions.len());
        }
    }
}
