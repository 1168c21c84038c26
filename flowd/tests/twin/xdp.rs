//! The programs of XDP leave the same traces as the native engine.

use flow_common::{app::Apps, settings::Settings};

use crate::{
    Hook, compare_at,
    frames::{Frame, Generator},
    settings,
};

const HOOKS: [Hook; 2] = [Hook::Xdp, Hook::XdpFrags];

#[test]
fn a_hundred_thousand_frames() {
    for hook in HOOKS {
        compare_at(hook, settings(0), Generator::new(0xfeed).take(110_000));
    }
}

#[test]
fn tunnels_at_xdp() {
    for hook in HOOKS {
        compare_at(hook, settings(u32::MAX), Generator::new(0x7ea).take(60_000));
    }
}

#[test]
fn every_cut_of_every_shape_at_xdp() {
    for hook in HOOKS {
        let frames = Generator::new(1).shapes().into_iter().flat_map(|shape| {
            let len = shape.bytes.len();
            (14..=len).map(move |cut| Frame { bytes: shape.bytes[..cut].to_vec(), ..shape.clone() })
        });
        compare_at(hook, settings(u32::MAX), frames);
    }
}

/// An HTTP response of 8,000 bytes in one frame: its head is at the end of the first buffer and in the next ones.
fn jumbo(options: usize, time: u64) -> Frame {
    let mut payload = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nX: ".to_vec();
    payload.resize(8_000, b'x');
    // Destination options (RFC 8200, section 4.6) before TCP move the head on.
    let mut extensions = Vec::new();
    for index in 0..options {
        extensions.extend([if index + 1 == options { 6 } else { 60 }, 255]);
        let mut left = 2_046;
        while left > 0 {
            let pad = (left - 2).min(255);
            extensions.extend([1, pad as u8]);
            extensions.resize(extensions.len() + pad, 0);
            left -= pad + 2;
        }
    }
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend(((extensions.len() + 20 + payload.len()) as u16).to_be_bytes());
    packet.extend([if options == 0 { 6 } else { 60 }, 64]);
    packet.extend([0x20; 16]);
    packet.extend([0x30; 16]);
    packet.extend(extensions);
    packet.extend([0, 80, 200, options as u8, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 1, 0, 0, 0, 0, 0]);
    packet.extend(payload);
    let bytes = [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd][..], &packet].concat();
    Frame { bytes, time, ..Frame::default() }
}

#[test]
fn frames_of_several_buffers() {
    let copied = Settings { copies: Apps::ALL, head_bytes: 4_096, ..settings(0) };
    let frames = (0..4).map(|options| jumbo(options, 1_700_000_000_000_000_000 + options as u64));
    compare_at(Hook::XdpFrags, copied, frames);
}
