use proptest::{collection::vec, prelude::*, sample::Index};

use super::kit::{
    BOTH, Client, END_HEADERS, END_STREAM, Server, block, frame, get, prefaces, request, response, start,
};
use crate::{
    conversation::{Side, kit},
    http2::recognise::recognise,
};

/// What arbitrary bytes rarely hit by themselves.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let stream = prop::sample::select(vec![1_u32, 2, 3, 5, 7, 1 << 30 | 1]);
    let fields = block(&[("+:path", "/p"), ("+:status", "200"), ("+grpc-status", "3")]);
    let good = (stream, 0..12_u8).prop_map(move |(stream, which)| match which {
        0 => get(stream, "/a"),
        1 => request(END_HEADERS, stream, "POST", "/b"),
        2 => response(BOTH, stream, "200"),
        3 => response(END_HEADERS, stream, "103"),
        4 => frame(0, END_STREAM, stream, b"data"),
        5 => frame(3, 0, stream, &[0; 4]),
        6 => frame(7, 0, 0, &stream.to_be_bytes().repeat(2)),
        7 => frame(1, END_STREAM, stream, &fields),
        8 => frame(9, END_HEADERS, stream, &fields),
        9 => frame(5, END_HEADERS, stream, &fields),
        10 => frame(1, BOTH, stream, &[0x82, 0xbe, 0xbf, 0xc0]),
        _ => frame(1, 0x2d, stream, &[0xff; 3]),
    });
    prop_oneof![6 => good, 1 => vec(any::<u8>(), 0..40)]
}

fn part() -> impl Strategy<Value = (bool, Vec<u8>)> {
    (any::<bool>(), vec(piece(), 1..4).prop_map(|pieces| pieces.concat()))
}

fn side(client: bool) -> Side {
    if client { Client } else { Server }
}

proptest! {
    #[test]
    fn any_frames_give_lines_and_hold_little(
        parts in vec((part(), any::<Index>(), 0..8_u8), 0..20),
        begun in any::<bool>(),
    ) {
        let mut story: Vec<_> = prefaces().into_iter().filter(|_| begun).map(|(side, bytes)| (side, Ok(bytes))).collect();
        for (((client, mut bytes), at, fate), _) in parts.into_iter().zip(0..) {
            let at = at.index(bytes.len().max(1));
            match fate {
                0 => story.push((side(client), Err(bytes.len() as u32))),
                1 => {
                    bytes.truncate(at);
                    story.push((side(client), Ok(bytes)));
                }
                2 => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte ^= 0x41;
                    }
                    story.push((side(client), Ok(bytes)));
                }
                _ => story.push((side(client), Ok(bytes))),
            }
        }
        let borrowed: Vec<_> =
            story.iter().map(|(side, part)| (*side, part.as_deref().map_err(|len: &u32| *len))).collect();
        for line in kit::records_with_gaps(start(), &borrowed) {
            prop_assert_eq!(&line["version"], "2");
            let asked = line["outcome"] != "no_request";
            prop_assert!(asked || line["method"].is_null());
            prop_assert!(line["outcome"] != "complete" || line["status"].is_u64());
        }
    }

    #[test]
    fn any_bytes_are_looked_at(
        client in vec(piece(), 0..6).prop_map(|pieces| pieces.concat()),
        server in vec(any::<u8>(), 0..60),
    ) {
        recognise(&client, &server);
        recognise(&server, &client);
        let parts = [(Client, client.as_slice()), (Server, server.as_slice())];
        kit::records(start(), &parts);
    }
}
