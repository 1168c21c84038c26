//! Current numbers by labels, for whoever shows them: `/metrics` today, other stores later.
//!
//! A *family* is declared once, beside the numbers that it shows. A [`Table`] keeps the series of a family within its
//! budget. This crate knows no protocol, no exposition format and no configuration; it opens no file or socket.
#![forbid(unsafe_code)]

mod family;
mod histogram;
mod policy;
mod sum;
mod table;

pub use family::{
    Class, Exposition, Family, Kind, Labels, Meta, OTHER, Rows, counter, each, gauge, histogram, show,
};
pub use histogram::Histogram;
pub use policy::{LabelPolicy, Overflow, other_share};
pub use sum::Sum;
pub use table::{Row, Table};
