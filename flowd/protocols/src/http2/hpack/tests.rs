use proptest::{collection::vec, prelude::*};

use super::{Decoder, table::Entry};
use crate::{http, http2::name::Name};

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

/// Whether the block was read to its end.
fn read(decoder: &mut Decoder, block: &[u8], whole: bool, each: super::Each<'_>) -> bool {
    let good = decoder.read(block, each) == block.len() && whole;
    if !good {
        decoder.lose();
    }
    good
}

/// The fields of a block, and what is behind them where it is no block.
fn fields(decoder: &mut Decoder, block: &[u8], whole: bool) -> Vec<String> {
    let mut fields = Vec::new();
    let good = read(decoder, block, whole, &mut |name, value| {
        let value = String::from_utf8_lossy(value);
        fields.push(match name {
            Name::Other | Name::Scheme => "-".to_owned(),
            Name::Unknown => "?".to_owned(),
            name => format!("{name:?} {value}"),
        });
    });
    if !good {
        fields.push("cut".to_owned());
    }
    fields
}

fn all(decoder: &mut Decoder, hex: &str) -> Vec<String> {
    fields(decoder, &bytes(hex), true)
}

/// Lengths of the entries' names and values, the newest first.
fn entries(decoder: &Decoder) -> Vec<(usize, usize)> {
    let all = (0..).map_while(|at| decoder.table.get(at));
    all.map(|Entry { name_len, value_len, .. }| (*name_len, *value_len)).collect()
}

/// RFC 7541 appendix C.2.
#[test]
fn each_form_of_a_field() {
    let mut decoder = Decoder::new();
    assert_eq!(all(&mut decoder, "400a637573746f6d2d6b65790d637573746f6d2d686561646572"), ["-"]);
    assert_eq!(entries(&decoder), [(10, 13)]);
    let mut decoder = Decoder::new();
    assert_eq!(all(&mut decoder, "040c2f73616d706c652f70617468"), ["Path /sample/path"]);
    assert_eq!(all(&mut decoder, "100870617373776f726406736563726574"), ["-"]);
    assert_eq!(all(&mut decoder, "82"), ["Method GET"]);
    assert_eq!(entries(&decoder), []);
}

/// RFC 7541 appendices C.3 and C.4: requests, as they are and in Huffman's code.
#[test]
fn requests_of_the_appendix() {
    for blocks in [
        [
            "828684410f7777772e6578616d706c652e636f6d",
            "828684be58086e6f2d6361636865",
            "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
        ],
        [
            "828684418cf1e3c2e5f23a6ba0ab90f4ff",
            "828684be5886a8eb10649cbf",
            "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
        ],
    ] {
        let mut decoder = Decoder::new();
        let authority = "Authority www.example.com";
        assert_eq!(all(&mut decoder, blocks[0]), ["Method GET", "-", "Path /", authority]);
        assert_eq!(all(&mut decoder, blocks[1]), ["Method GET", "-", "Path /", authority, "-"]);
        assert_eq!(all(&mut decoder, blocks[2]), ["Method GET", "-", "Path /index.html", authority, "-"]);
        assert_eq!(entries(&decoder), [(10, 12), (13, 8), (10, 15)]);
    }
}

/// RFC 7541 appendices C.5 and C.6: responses whose table holds 256 bytes.
#[test]
fn responses_of_the_appendix_evict_entries() {
    for blocks in [
        [
            "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54\
             6e1768747470733a2f2f7777772e6578616d706c652e636f6d",
            "4803333037c1c0bf",
            "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f\
             3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076\
             657273696f6e3d31",
        ],
        [
            "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f\
             0b97c8e9ae82ae43d3",
            "4883640effc1c0bf",
            "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335df\
             dfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
        ],
    ] {
        let mut decoder = Decoder::new();
        decoder.table.resize(256);
        assert_eq!(all(&mut decoder, blocks[0]), ["Status 302", "-", "-", "-"]);
        assert_eq!(entries(&decoder), [(8, 23), (4, 29), (13, 7), (7, 3)]);
        assert_eq!(all(&mut decoder, blocks[1]), ["Status 307", "-", "-", "-"]);
        assert_eq!(entries(&decoder), [(7, 3), (8, 23), (4, 29), (13, 7)]);
        assert_eq!(all(&mut decoder, blocks[2]), ["Status 200", "-", "-", "-", "-", "-"]);
        assert_eq!(entries(&decoder), [(10, 56), (16, 4), (4, 29)]);
    }
}

#[test]
fn integers_of_the_appendix() {
    // RFC 7541 appendix C.1: 1337 with a prefix of five bits, here as the table's size.
    let mut decoder = Decoder::new();
    assert_eq!(all(&mut decoder, "3f9a0a"), Vec::<String>::new());
    assert_eq!(all(&mut decoder, "3fffffffff7f"), ["cut"]);
    assert_eq!(all(&mut decoder, "ff"), ["cut"]);
    assert_eq!(all(&mut decoder, "80"), ["cut"]);
}

#[test]
fn after_a_loss_only_what_came_behind_it_is_known() {
    let mut decoder = Decoder::new();
    all(&mut decoder, "828684410f7777772e6578616d706c652e636f6d");
    decoder.lose();
    // 62 was the authority; now it is anything.
    assert_eq!(all(&mut decoder, "8286be"), ["Method GET", "-", "?"]);
    // A path that is told now is 62, and behind it everything is unknown, names as well.
    assert_eq!(all(&mut decoder, "44022f61"), ["Path /a"]);
    assert_eq!(all(&mut decoder, "bebf"), ["Path /a", "?"]);
    assert_eq!(all(&mut decoder, "7f0003657869"), ["?"]);
    assert_eq!(all(&mut decoder, "bebf"), ["?", "Path /a"]);
    // So is what a block that ends too early would have told.
    assert_eq!(fields(&mut decoder, &bytes("4403"), true), ["cut"]);
    assert_eq!(all(&mut decoder, "bebf"), ["?", "?"]);
    all(&mut decoder, "44022f62");
    assert_eq!(fields(&mut decoder, &bytes("82"), false), ["Method GET", "cut"]);
    assert_eq!(all(&mut decoder, "be"), ["?"]);
}

#[test]
fn a_table_without_room_keeps_nothing() {
    let mut decoder = Decoder::new();
    assert_eq!(all(&mut decoder, "2044022f61"), ["Path /a"]);
    assert_eq!(all(&mut decoder, "be"), ["?"]);
    // With more than is kept, the oldest are unknown.
    decoder.table.resize(1 << 20);
    for at in 0..2_000 {
        let text = format!("{at:04}");
        let block = [&[0x44, 4][..], text.as_bytes()].concat();
        fields(&mut decoder, &block, true);
    }
    assert!(decoder.weight() < 128 << 10, "{}", decoder.weight());
    assert_eq!(all(&mut decoder, "beffff0f"), ["Path 1999", "?"]);
}

#[test]
fn secrets_are_not_kept() {
    let mut decoder = Decoder::new();
    let block = [&[0x60, 6][..], b"secret", &[0x57, 6], b"secret"].concat();
    assert_eq!(fields(&mut decoder, &block, true), ["-", "-"]);
    assert!(entries(&decoder).iter().all(|(_, value)| *value == 6));
    assert!((0..2).all(|at| decoder.table.get(at).unwrap().value.is_empty()));
}

/// A field as an encoder of tests writes it: its text alone, or also for later blocks.
#[derive(Clone, Debug)]
struct Field {
    name: &'static [u8],
    value: Vec<u8>,
    inserted: bool,
}

/// Writes blocks as RFC 7541 wants them; refers to its table wherever it can.
#[derive(Default)]
struct Encoder {
    table: Vec<(&'static [u8], Vec<u8>)>,
    most: usize,
}

impl Encoder {
    fn block(&mut self, fields: &[Field]) -> Vec<u8> {
        let mut block = Vec::new();
        for Field { name, value, inserted } in fields {
            if let Some(at) = self.table.iter().position(|(n, v)| n == name && v == value) {
                assert!(at < 64);
                block.push(0x80 | (62 + at as u8));
                continue;
            }
            block.push(if *inserted { 0x40 } else { 0 });
            for text in [*name, value] {
                block.push(text.len() as u8);
                block.extend_from_slice(text);
            }
            if *inserted {
                self.table.insert(0, (name, value.clone()));
                let size = |table: &[(&[u8], Vec<u8>)]| -> usize {
                    table.iter().map(|(name, value)| name.len() + value.len() + 32).sum()
                };
                while size(&self.table) > self.most {
                    self.table.pop();
                }
            }
        }
        block
    }
}

fn field() -> impl Strategy<Value = Field> {
    let name = prop::sample::select(vec![&b":path"[..], b":method", b"user-agent", b"cookie", b"x-a"]);
    (name, "[a-c]{1,2}", any::<bool>()).prop_map(|(name, value, inserted)| Field {
        name,
        value: value.into_bytes(),
        inserted,
    })
}

proptest! {
    /// Whatever blocks are lost or cut, no field is taken for another.
    #[test]
    fn fields_are_right_or_unknown(
        blocks in vec((vec(field(), 0..6), 0..6_u8, any::<prop::sample::Index>()), 1..20),
        most in prop::sample::select(vec![0_usize, 40, 100, 300]),
    ) {
        let mut encoder = Encoder { most, ..Encoder::default() };
        let mut decoder = Decoder::new();
        decoder.table.resize(most);
        for (fields, fate, cut) in &blocks {
            let block = encoder.block(fields);
            let (block, whole) = match fate {
                0 => {
                    decoder.lose();
                    continue;
                }
                1 => (&block[..cut.index(block.len() + 1)], false),
                _ => (&block[..], true),
            };
            let mut wanted = fields.iter();
            let good = read(&mut decoder, block, whole, &mut |name, value| {
                let field = wanted.next().unwrap();
                assert!(name == Name::Unknown || name == Name::of(field.name), "{name:?} for {field:?}");
                assert!(!name.is_wanted() || value == field.value, "{value:?} for {field:?}");
            });
            prop_assert_eq!(good, whole);
        }
    }

    #[test]
    fn any_bytes_are_read(blocks in vec(vec(any::<u8>(), 0..200), 0..10)) {
        let mut decoder = Decoder::new();
        for block in &blocks {
            read(&mut decoder, block, true, &mut |_, _| {});
        }
        prop_assert!(decoder.weight() < 64 << 10);
    }
}

#[test]
fn names_of_http_1_are_the_same() {
    assert_eq!(Name::of(b"user-agent"), Name::Common(http::Name::UserAgent));
    assert_eq!(Name::of(b"authorization"), Name::Other);
}
