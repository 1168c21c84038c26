//! A key where other CPUs may write.

use core::mem::offset_of;

use super::FlowKey;
use crate::shared::{Relaxed, Share};

const WORDS: usize = size_of::<FlowKey>() / size_of::<u64>();

/// [`FlowKey`], word by word.
#[repr(C)]
pub struct SharedKey([Relaxed<u64>; WORDS]);

const _: () = assert!(offset_of!(FlowKey, b_address) == 16 && offset_of!(FlowKey, scope) == 32);
const _: () = assert!(offset_of!(FlowKey, tunnel_id) == 40 && offset_of!(FlowKey, a_port) == 44);
const _: () = assert!(offset_of!(FlowKey, b_port) == 46);

impl SharedKey {
    /// The same key.
    ///
    /// By words: the comparison that the compiler makes of bytes branches at each, and the verifier walks all ways.
    #[inline(always)]
    #[must_use]
    pub fn is(&self, key: &FlowKey) -> bool {
        let mut differs = 0;
        for (word, other) in self.0.iter().zip(key.words()) {
            differs |= word.get() ^ other;
        }
        differs == 0
    }

    #[inline(always)]
    pub fn set(&self, key: &FlowKey) {
        for (word, value) in self.0.iter().zip(key.words()) {
            word.set(value);
        }
    }

    /// IP protocol number.
    #[inline(always)]
    #[must_use]
    pub fn protocol(&self) -> u8 {
        FlowKey { scope: self.0[4].get(), ..FlowKey::EMPTY }.protocol()
    }
}

impl FlowKey {
    /// As it lies in memory.
    #[inline(always)]
    const fn words(&self) -> [u64; WORDS] {
        let [t0, t1, t2, t3] = self.tunnel_id.to_ne_bytes();
        let ([a0, a1], [b0, b1]) = (self.a_port.to_ne_bytes(), self.b_port.to_ne_bytes());
        let last = u64::from_ne_bytes([t0, t1, t2, t3, a0, a1, b0, b1]);
        let ([a_high, a_low], [b_high, b_low]) = (self.a_address, self.b_address);
        [a_high, a_low, b_high, b_low, self.scope, last]
    }
}

// SAFETY: a key is these words and no more, as the assertions above confirm.
unsafe impl Share for FlowKey {
    type Shared = SharedKey;

    #[inline(always)]
    fn load(shared: &SharedKey) -> Self {
        let [a_high, a_low, b_high, b_low, scope, last] = shared.0.each_ref().map(Relaxed::get);
        let [t0, t1, t2, t3, a0, a1, b0, b1] = last.to_ne_bytes();
        Self {
            a_address: [a_high, a_low],
            b_address: [b_high, b_low],
            scope,
            tunnel_id: u32::from_ne_bytes([t0, t1, t2, t3]),
            a_port: u16::from_ne_bytes([a0, a1]),
            b_port: u16::from_ne_bytes([b0, b1]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{Direction, Endpoint, Scope, TunnelKind};

    #[test]
    fn a_shared_key_is_the_key_it_was_set_to() {
        let scope = Scope {
            interface: 5,
            vlans: 0x12_3456,
            protocol: 17,
            ipv6: true,
            tunnel: TunnelKind::Vxlan,
            tunnel_id: 0x0102_0304,
        };
        let (a, b) = (Endpoint { address: [1, 2], port: 3 }, Endpoint { address: [4, 5], port: 6 });
        let (key, _) = FlowKey::new(a, b, &scope, Some(Direction::Egress));
        let mut plain = FlowKey::EMPTY;
        let shared = FlowKey::shared(&mut plain);
        assert!(shared.is(&FlowKey::EMPTY) && !shared.is(&key));
        shared.set(&key);
        assert!(shared.is(&key) && FlowKey::load(shared) == key && shared.protocol() == 17);
        assert_eq!(plain, key);
        // Each word counts.
        let changes: [fn(&mut FlowKey); 7] = [
            |key| key.a_address[0] += 1,
            |key| key.a_address[1] += 1,
            |key| key.b_address[0] += 1,
            |key| key.b_address[1] += 1,
            |key| key.scope += 1,
            |key| key.tunnel_id += 1,
            |key| key.b_port += 1,
        ];
        for change in changes {
            let mut other = key;
            change(&mut other);
            assert!(!FlowKey::shared(&mut other).is(&key));
        }
    }
}
