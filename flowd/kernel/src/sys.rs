//! What the kernel offers beside aya: calls of bpf(2), mapped memory, plain bytes, and the end of running programs.

pub(crate) mod bpf;
mod grace;
mod mapping;
pub(crate) mod owner;
pub(crate) mod pod;

pub(crate) use self::{grace::grace, mapping::Mapping};
