//! The keys of Initial packets, and what they open (RFC 9001 section 5).

use ring::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey, quic},
    hkdf::{HKDF_SHA256, KeyType, Prk, Salt},
};

use super::{packet::Initial, version::Version};

/// What each side protects its Initial packets with.
#[derive(Clone, Debug)]
pub(in crate::quic) struct Keys {
    client: Side,
    server: Side,
}

/// As bytes, as what [`ring`] makes of them is ten times as large.
#[derive(Clone, Debug)]
struct Side {
    key: [u8; 16],
    vector: [u8; 12],
    header: [u8; 16],
}

/// Which bytes of a protected packet lie where (RFC 9001 section 5.4.2): the sample begins where the payload would if the
/// packet number had all of its four bytes.
const SAMPLE_AT: usize = 4;
const SAMPLE_LEN: usize = 16;

impl Keys {
    /// Those of the handshake whose client sent its first Initial packet to the connection id `destination`, or since a
    /// Retry its first one after that (RFC 9001 section 5.2).
    pub(in crate::quic) fn new(version: Version, destination: &[u8]) -> Option<Self> {
        let initial = Salt::new(HKDF_SHA256, version.salt()).extract(destination);
        let side =
            |label| Side::new(version, &Prk::new_less_safe(HKDF_SHA256, &expand::<32>(&initial, label)?));
        Some(Self { client: side(b"client in")?, server: side(b"server in")? })
    }

    /// The frames of a packet; `None` where it was not protected with these keys, or is damaged.
    pub(in crate::quic) fn open(&self, from_client: bool, packet: &Initial<'_>) -> Option<Vec<u8>> {
        let side = if from_client { &self.client } else { &self.server };
        let mut bytes = packet.bytes.to_vec();
        let number_len = side.unmask(&mut bytes, packet.number_at)?;
        let (header, payload) = bytes.split_at_mut_checked(packet.number_at + number_len)?;
        let nonce = side.nonce(header.get(packet.number_at..)?);
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &side.key).ok()?);
        let len = key.open_in_place(nonce, Aad::from(&*header), payload).ok()?.len();
        let from = header.len();
        bytes.truncate(from + len);
        bytes.drain(..from);
        Some(bytes)
    }
}

impl Side {
    fn new(version: Version, secret: &Prk) -> Option<Self> {
        let [key, vector, header] = version.labels();
        Some(Self {
            key: expand(secret, key)?,
            vector: expand(secret, vector)?,
            header: expand(secret, header)?,
        })
    }

    /// Takes the protection off the header and gives the length of the packet number (RFC 9001 section 5.4.1).
    fn unmask(&self, packet: &mut [u8], number_at: usize) -> Option<usize> {
        let sample_at = number_at + SAMPLE_AT;
        let mask = self.mask(packet.get(sample_at..sample_at + SAMPLE_LEN)?)?;
        let [of_first, of_number @ ..] = mask;
        let first = packet.first_mut()?;
        *first ^= of_first & 0x0f;
        let number_len = usize::from(*first & 3) + 1;
        let number = packet.get_mut(number_at..number_at + number_len)?;
        number.iter_mut().zip(of_number).for_each(|(byte, mask)| *byte ^= mask);
        Some(number_len)
    }

    fn mask(&self, sample: &[u8]) -> Option<[u8; 5]> {
        quic::HeaderProtectionKey::new(&quic::AES_128, &self.header).ok()?.new_mask(sample).ok()
    }

    /// The initial vector and the packet number together (RFC 9001 section 5.3). In first packets, the number stands there
    /// with all its digits: the other side has acknowledged nothing to which it could be relative.
    fn nonce(&self, number: &[u8]) -> Nonce {
        let mut nonce = self.vector;
        nonce.iter_mut().rev().zip(number.iter().rev()).for_each(|(byte, number)| *byte ^= number);
        Nonce::assume_unique_for_key(nonce)
    }
}

/// A number of bytes for [`ring`].
struct Len(usize);

impl KeyType for Len {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-Expand-Label without a context (RFC 8446 section 7.1).
fn expand<const N: usize>(secret: &Prk, label: &[u8]) -> Option<[u8; N]> {
    const PREFIX: &[u8] = b"tls13 ";
    let (len, label_len) = (u16::try_from(N).ok()?, u8::try_from(PREFIX.len() + label.len()).ok()?);
    let mut bytes = [0; N];
    let info: [&[u8]; 5] = [&len.to_be_bytes(), &[label_len], PREFIX, label, &[0]];
    secret.expand(&info, Len(N)).ok()?.fill(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod testing {
    use super::*;

    impl Keys {
        /// A packet around `frames` with protection. `header` ends where the packet number begins, which takes two bytes, and its
        /// length is right for all that follows.
        pub(in crate::quic) fn seal(
            &self,
            from_client: bool,
            header: &[u8],
            number: u16,
            frames: &[u8],
        ) -> Vec<u8> {
            let side = if from_client { &self.client } else { &self.server };
            let number = number.to_be_bytes();
            let mut packet = [header, &number].concat();
            let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &side.key).unwrap());
            let mut payload = frames.to_vec();
            let nonce = side.nonce(&number);
            key.seal_in_place_append_tag(nonce, Aad::from(&packet), &mut payload).unwrap();
            packet.extend(payload);
            let sample_at = header.len() + SAMPLE_AT;
            let mask = side.mask(&packet[sample_at..sample_at + SAMPLE_LEN]).unwrap();
            packet[0] ^= mask[0] & 0x0f;
            packet[header.len()] ^= mask[1];
            packet[header.len() + 1] ^= mask[2];
            packet
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quic::parse::{Frame, frames, initials};

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> =
            hex.bytes().map(|digit| char::from(digit).to_digit(16).unwrap() as u8).collect();
        digits.as_chunks::<2>().0.iter().map(|[high, low]| high << 4 | low).collect()
    }

    /// RFC 9001 section A.1, RFC 9369 section A.1.
    #[test]
    fn keys_of_the_specifications() {
        let keys = |number| Keys::new(Version::of(number).unwrap(), &bytes("8394c8f03e515708")).unwrap();
        let expect = |side: &Side, key, vector, header| {
            assert_eq!(side.key[..], bytes(key));
            assert_eq!(side.vector[..], bytes(vector));
            assert_eq!(side.header[..], bytes(header));
        };
        let first = keys(1);
        expect(
            &first.client,
            "1f369613dd76d5467730efcbe3b1a22d",
            "fa044b2f42a3fd3b46fb255c",
            "9f50449e04a0e810283a1e9933adedd2",
        );
        expect(
            &first.server,
            "cf3a5331653c364c88f0f379b6067e37",
            "0ac1493ca1905853b0bba03e",
            "c206b8d9b9f0f37644430b490eeaa314",
        );
        let second = keys(0x6b33_43cf);
        expect(
            &second.client,
            "8b1a0bc121284290a29e0971b5cd045d",
            "91f73e2351d8fa91660e909f",
            "45b95e15235d6f45a6b19cbcb0294ba9",
        );
        expect(
            &second.server,
            "82db637861d55e1d011f19ea71d5d2a7",
            "dd13c276499c0249d3310652",
            "edf6d05c83121201b436e16877593c3a",
        );
    }

    /// RFC 9001 section A.3.
    #[test]
    fn a_packet_of_the_specification() {
        let datagram = bytes(
            "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb3\
             8cc5a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84\
             022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee",
        );
        let packet = initials(&datagram).next().unwrap();
        assert_eq!(packet.source.bytes(), bytes("f067a5502a4262b5"));
        let keys = Keys::new(packet.version, &bytes("8394c8f03e515708")).unwrap();
        let payload = keys.open(false, &packet).unwrap();
        let Some(Frame::Crypto { offset: 0, bytes: message }) = frames(&payload).next() else {
            panic!("{payload:?}")
        };
        assert_eq!((message.len(), &message[..6]), (90, &[2, 0, 0, 0x56, 3, 3][..]));
        assert!(keys.open(true, &packet).is_none());
    }
}
