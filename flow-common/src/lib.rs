//! What flowd's numbers mean, once: compiled into the BPF programs and into the daemon's native engine.
//!
//! The way of a packet: [`packet::Packet`] reads headers by value, [`dissect`] turns them into a
//! [`key::FlowKey`] and facts or a [`counter::Counter`] that says why not, [`observe::on_packet`] finds the
//! flow's [`record::FlowRecord`], counts, tracks TCP and copies payload that [`sniff`] recognises.
//!
//! This crate has no dependencies and no allocator. It knows no kernel, no clock and no file: whatever is outside the
//! packet comes through [`env::Env`]. `unsafe` is where bytes become values ([`packet`], [`verifier`]) and where memory
//! is shared between CPUs ([`shared`], and [`record`] where a new record begins).
#![cfg_attr(not(test), no_std)]

pub mod account;
pub mod admission;
pub mod app;
pub mod bins;
pub mod clock;
pub mod counter;
pub mod dissect;
pub mod end;
pub mod env;
pub mod event;
pub mod flows;
pub mod free;
pub mod hint;
pub mod key;
pub mod names;
pub mod observe;
pub mod offload;
pub mod packet;
pub mod ports;
pub mod record;
pub mod role;
pub mod settings;
pub mod shared;
pub mod sniff;
pub mod tcp;
mod tunnel_ids;
pub mod verifier;
pub mod wire;
pub mod workspace;
