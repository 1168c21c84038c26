//! The context of a test run: what the kernel lets a caller set of a socket buffer.

/// `struct __sk_buff` of include/uapi/linux/bpf.h.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(super) struct SkBuff {
    pub(super) len: u32,
    pub(super) pkt_type: u32,
    pub(super) mark: u32,
    pub(super) queue_mapping: u32,
    pub(super) protocol: u32,
    pub(super) vlan_present: u32,
    pub(super) vlan_tci: u32,
    pub(super) vlan_proto: u32,
    pub(super) priority: u32,
    pub(super) ingress_ifindex: u32,
    pub(super) ifindex: u32,
    pub(super) tc_index: u32,
    pub(super) cb: [u32; 5],
    pub(super) hash: u32,
    pub(super) tc_classid: u32,
    pub(super) data: u32,
    pub(super) data_end: u32,
    pub(super) napi_id: u32,
    pub(super) family: u32,
    pub(super) remote_ip4: u32,
    pub(super) local_ip4: u32,
    pub(super) remote_ip6: [u32; 4],
    pub(super) local_ip6: [u32; 4],
    pub(super) remote_port: u32,
    pub(super) local_port: u32,
    pub(super) data_meta: u32,
    pub(super) flow_keys: u64,
    pub(super) tstamp: u64,
    pub(super) wire_len: u32,
    pub(super) gso_segs: u32,
    pub(super) sk: u64,
    pub(super) gso_size: u32,
    pub(super) tstamp_type: u8,
    pub(super) padding: [u8; 3],
    pub(super) hwtstamp: u64,
}

const _: () = assert!(size_of::<SkBuff>() == 192);

impl SkBuff {
    /// As the bytes that the kernel reads.
    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: repr(C) integers without padding between them, alive as long as `self`.
        unsafe { std::slice::from_raw_parts(std::ptr::from_ref(self).cast(), size_of::<Self>()) }
    }
}
