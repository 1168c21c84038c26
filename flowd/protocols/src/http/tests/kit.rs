//! A connection to tell stories with: bytes become events as the packet path would make them.

use flow_common::{
    app::App,
    event::{PayloadEvent, PayloadKind},
    key::{Endpoint, FlowKey, Scope, Sender, TunnelKind},
};

use crate::{
    http::{
        HttpExchange, HttpOptions, HttpTracker, Outcome, Privacy, Query,
        pair::{FIN, RST},
    },
    progress::Progress,
};

pub(super) const MILLISECOND: u64 = 1_000_000;
pub(super) const SECOND: u64 = 1_000_000_000;

/// The address of the client in every story is `192.0.2.1`, of the server `198.51.100.7`.
pub(super) fn key(port: u16) -> (FlowKey, Sender) {
    let scope =
        Scope { interface: 1, vlans: 0, protocol: 6, ipv6: false, tunnel: TunnelKind::None, tunnel_id: 0 };
    let client = Endpoint::v4(u32::from_ne_bytes([192, 0, 2, 1]), port);
    let server = Endpoint::v4(u32::from_ne_bytes([198, 51, 100, 7]), 80);
    FlowKey::new(client, server, &scope, None)
}

pub(super) struct Story {
    pub(super) tracker: HttpTracker,
    pub(super) key: FlowKey,
    client: Sender,
    pub(super) slot: u32,
    pub(super) time: u64,
    pub(super) client_seq: u32,
    pub(super) server_seq: u32,
    pub(super) out: Vec<HttpExchange>,
    /// What the packet path knows of each side: copies, last packet, last new byte.
    sides: [Known; 2],
    pub(super) retransmits: u16,
    /// The ring buffer is full.
    pub(super) full: bool,
    /// What the flow's record says, if it can be had.
    pub(super) progress: Option<Progress>,
}

#[derive(Default)]
struct Known {
    number: u8,
    last: u64,
    last_byte: u64,
}

impl Default for Story {
    fn default() -> Self {
        Self::with(HttpOptions::default())
    }
}

impl Story {
    pub(super) fn with(options: HttpOptions) -> Self {
        let (key, client) = key(54_102);
        // Both sides wrap around within the first message.
        let (client_seq, server_seq) = (u32::MAX - 3, u32::MAX - 20);
        let tracker = HttpTracker::new(options);
        Self {
            tracker,
            key,
            client,
            slot: 7,
            time: SECOND,
            client_seq,
            server_seq,
            out: Vec::new(),
            sides: Default::default(),
            retransmits: 0,
            full: false,
            progress: None,
        }
    }

    pub(super) fn query(query: Query) -> Self {
        Self::with(HttpOptions { privacy: Privacy { query, ..Privacy::default() }, ..HttpOptions::default() })
    }

    /// A segment at the end of what its side sent, copied whole.
    pub(super) fn client(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let bytes = bytes.as_ref();
        self.raw(true, PayloadKind::Request, self.client_seq, bytes, 0);
        self.client_seq = self.client_seq.wrapping_add(bytes.len() as u32);
        self
    }

    pub(super) fn server(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let bytes = bytes.as_ref();
        self.raw(false, PayloadKind::Response, self.server_seq, bytes, 0);
        self.server_seq = self.server_seq.wrapping_add(bytes.len() as u32);
        self
    }

    /// The same, as the next bytes of a message under way.
    pub(super) fn client_more(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let bytes = bytes.as_ref();
        self.raw(true, PayloadKind::Continuation, self.client_seq, bytes, 0);
        self.client_seq = self.client_seq.wrapping_add(bytes.len() as u32);
        self
    }

    pub(super) fn server_more(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let bytes = bytes.as_ref();
        self.raw(false, PayloadKind::Continuation, self.server_seq, bytes, 0);
        self.server_seq = self.server_seq.wrapping_add(bytes.len() as u32);
        self
    }

    /// Body bytes that nobody copied.
    pub(super) fn server_unseen(&mut self, count: u32) -> &mut Self {
        self.server_seq = self.server_seq.wrapping_add(count);
        (self.sides[1].last, self.sides[1].last_byte) = (self.time, self.time);
        self
    }

    pub(super) fn client_unseen(&mut self, count: u32) -> &mut Self {
        self.client_seq = self.client_seq.wrapping_add(count);
        (self.sides[0].last, self.sides[0].last_byte) = (self.time, self.time);
        self
    }

    /// An acknowledgement of its own.
    pub(super) fn server_acknowledges(&mut self) -> &mut Self {
        self.sides[1].last = self.time;
        self
    }

    /// Copies are lost while `story` goes on.
    pub(super) fn losing(&mut self, story: impl FnOnce(&mut Self)) -> &mut Self {
        self.full = true;
        story(self);
        self.full = false;
        self
    }

    /// What the flow's record would say now.
    pub(super) fn recorded(&mut self) -> &mut Self {
        let (client, server) =
            ((self.client_seq, self.sides[0].last_byte), (self.server_seq, self.sides[1].last_byte));
        let sides = if self.client == Sender::A { [client, server] } else { [server, client] };
        self.progress = Some(Progress { key: self.key, lives: true, sides, retransmits: self.retransmits });
        self
    }

    pub(super) fn fin(&mut self, client: bool) -> &mut Self {
        let seq = if client { self.client_seq } else { self.server_seq };
        self.raw(client, PayloadKind::End, seq, &[], FIN);
        self
    }

    pub(super) fn reset(&mut self, client: bool) -> &mut Self {
        let seq = if client { self.client_seq } else { self.server_seq };
        self.raw(client, PayloadKind::End, seq, &[], RST);
        self
    }

    pub(super) fn after(&mut self, nanoseconds: u64) -> &mut Self {
        self.time += nanoseconds;
        self
    }

    pub(super) fn expire(&mut self) -> &mut Self {
        let out = &mut self.out;
        let progress = self.progress;
        self.tracker.expire(self.time, &mut |_| progress, &mut |exchange| out.push(exchange));
        self
    }

    pub(super) fn finish(&mut self) -> Vec<HttpExchange> {
        let out = &mut self.out;
        self.tracker.finish(&mut |exchange| out.push(exchange));
        std::mem::take(out)
    }

    /// A segment of the server of which only the first `copied` bytes were copied.
    pub(super) fn server_cut(&mut self, bytes: impl AsRef<[u8]>, copied: usize) -> &mut Self {
        let (bytes, seq) = (bytes.as_ref(), self.server_seq);
        self.copied(false, PayloadKind::Response, seq, (&bytes[..copied], bytes.len()), 0);
        self.server_seq = seq.wrapping_add(bytes.len() as u32);
        self
    }

    pub(super) fn client_cut(&mut self, bytes: impl AsRef<[u8]>, copied: usize) -> &mut Self {
        let (bytes, seq) = (bytes.as_ref(), self.client_seq);
        self.copied(true, PayloadKind::Request, seq, (&bytes[..copied], bytes.len()), 0);
        self.client_seq = seq.wrapping_add(bytes.len() as u32);
        self
    }

    pub(super) fn raw(&mut self, client: bool, kind: PayloadKind, seq: u32, bytes: &[u8], flags: u8) {
        self.copied(client, kind, seq, (bytes, bytes.len()), flags);
    }

    fn copied(&mut self, client: bool, kind: PayloadKind, seq: u32, payload: (&[u8], usize), flags: u8) {
        let (bytes, len) = payload;
        let sender = if client { self.client } else { self.client.other() };
        let (ack, peer_last) = if client {
            (self.server_seq, self.sides[1].last_byte)
        } else {
            (self.client_seq, self.sides[0].last_byte)
        };
        let own = &mut self.sides[usize::from(!client)];
        own.number = PayloadEvent::number_after(own.number);
        let (number, own_last) = (own.number, std::mem::replace(&mut own.last, self.time));
        if len > 0 {
            own.last_byte = self.time;
        }
        if self.full {
            return;
        }
        let event = PayloadEvent {
            key: self.key,
            time: self.time,
            slot: self.slot,
            seq,
            payload_len: len as u32,
            copied: bytes.len() as u16,
            kind: kind as u8,
            sender: PayloadEvent::numbered(sender, number),
            tcp_flags: 0x10 | flags,
            app: App::Http as u8,
            ack,
            retransmits: self.retransmits,
            own_last,
            peer_last,
        };
        let out = &mut self.out;
        self.tracker.event(&event, bytes, &mut |exchange| out.push(exchange));
    }
}

/// `GET /a 200 complete`: the gist of every exchange.
pub(super) fn gist(exchanges: &[HttpExchange]) -> Vec<String> {
    exchanges
        .iter()
        .map(|e| {
            let informational: String = e.informational.iter().map(|status| format!("{status} ")).collect();
            let status = e.status.map_or("-".into(), |status| status.to_string());
            let method = e.method.as_deref().unwrap_or("-");
            let target = e.target.as_deref().unwrap_or("-");
            format!("{method} {target} {informational}{status} {}", e.outcome.name())
        })
        .collect()
}

pub(super) fn line(exchange: &HttpExchange) -> serde_json::Value {
    let text = serde_json::to_string(exchange).unwrap();
    assert!(!text.contains('\n'));
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(Outcome::ALL.iter().any(|outcome| value["outcome"] == outcome.name()));
    value
}
