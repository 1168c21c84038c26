//! The context of a test run: what the kernel lets a caller set of a socket buffer.

/// `struct __sk_buff` of include/uapi/linux/bpf.h.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct SkBuff {
    pub(crate) len: u32,
    pub(crate) pkt_type: u32,
    pub(crate) mark: u32,
    pub(crate) queue_mapping: u32,
    pub(crate) protocol: u32,
    pub(crate) vlan_present: u32,
    pub(crate) vlan_tci: u32,
    pub(crate) vlan_proto: u32,
    pub(crate) priority: u32,
    pub(crate) ingress_ifindex: u32,
    pub(crate) ifindex: u32,
    pub(crate) tc_index: u32,
    pub(crate) cb: [u32; 5],
    pub(crate) hash: u32,
    pub(crate) tc_classid: u32,
    pub(crate) data: u32,
    pub(crate) data_end: u32,
    pub(crate) napi_id: u32,
    pub(crate) family: u32,
    pub(crate) remote_ip4: u32,
    pub(crate) local_ip4: u32,
    pub(crate) remote_ip6: [u32; 4],
    pub(crate) local_ip6: [u32; 4],
    pub(crate) remote_port: u32,
    pub(crate) local_port: u32,
    pub(crate) data_meta: u32,
    pub(crate) flow_keys: u64,
    pub(crate) tstamp: u64,
    pub(crate) wire_len: u32,
    pub(crate) gso_segs: u32,
    pub(crate) sk: u64,
    pub(crate) gso_size: u32,
    pub(crate) tstamp_type: u8,
    pub(crate) padding: [u8; 3],
    pub(crate) hwtstamp: u64,
}

const _: () = assert!(size_of::<SkBuff>() == 192);

impl SkBuff {
    /// As the bytes that the kernel reads.
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: repr(C) integers without padding between them, alive as long as `self`.
        unsafe { std::slice::from_raw_parts(std::ptr::from_ref(self).cast(), size_of::<Self>()) }
    }
}
