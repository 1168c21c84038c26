//! Where the programs are attached, and in which order beside others.

use serde::{Deserialize, Serialize};

/// Where the programs are attached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hook {
    /// TCX where the kernel has it, else clsact.
    #[default]
    Auto,
    /// Links of TCX.
    Tcx,
    /// Filters of the clsact qdisc.
    Clsact,
    /// Ingress by XDP; egress as with `auto`.
    Xdp,
}

/// Who runs the program of [`Hook::Xdp`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum XdpMode {
    /// The driver where it can, else the kernel.
    #[default]
    Auto,
    /// The driver.
    Native,
    /// The kernel.
    Generic,
}

/// Before or behind the programs of others that have the same hook.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Everything counts that reaches the hook.
    #[default]
    First,
    /// What others let through counts.
    Last,
}
