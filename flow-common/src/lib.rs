//! What flowd's numbers mean, once: compiled into the BPF programs and into the daemon's native engine.
//!
//! The way of a packet: [`packet::Packet`] reads headers by value, [`dissect`] turns them into a
//! [`key::FlowKey`] and facts or a [`counter::Counter`] that says why not, [`observe::on_packet`] finds the
//! flow's [`record::FlowRecord`], counts, tracks TCP and copies payload that [`sniff`] recognises.
#![cfg_attr(not(test), no_std)]

pub mod account;
pub mod app;
pub mod counter;
pub mod dissect;
pub mod end;
pub mod event;
pub mod flows;
pub mod free;
pub mod hint;
pub mod key;
pub mod lane;
pub mod names;
pub mod observe;
pub mod packet;
pub mod ports;
pub mod record;
pub mod role;
pub mod settings;
pub mod shared;
pub mod sniff;
pub mod tcp;
pub mod wire;
pub mod wiretrue;
