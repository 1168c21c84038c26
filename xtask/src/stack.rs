//! Stack of a BPF program, from the instructions of the object: its own and that of its deepest chain of calls.

use anyhow::{Context, Result, anyhow, bail};
use aya_obj::{Object, generated::bpf_insn};

/// The frame pointer; the stack lies below it.
const R10: u8 = 10;
/// `call` of another function, by its distance.
const CALL: u8 = 0x85;
const PSEUDO_CALL: u8 = 1;
/// `a = b` and `a += constant`, in 64 bits.
const MOVE: u8 = 0xbf;
const ADD: u8 = 0x07;
/// Class bits of loads into a register and of stores.
const LOAD: u8 = 0x01;
const STORES: [u8; 2] = [0x02, 0x03];
/// The kernel allots stack in steps of this.
const STEP: u32 = 16;
/// Functions deep that the kernel allows.
const MAX_CALLS: u32 = 8;

/// Bytes of stack of each program named, in the object that the daemon embeds.
pub(crate) fn depths(object: &[u8], programs: &[&str]) -> Result<Vec<u32>> {
    let mut object = Object::parse(object)?;
    let sections = object.functions.keys().map(|(section, _)| *section).collect();
    object.relocate_calls(&sections).map_err(|error| anyhow!("{error}"))?;
    let depth = |name: &&str| {
        let program = object.programs.get(*name).with_context(|| format!("the object has no {name}"))?;
        let function = object.functions.get(&program.function_key());
        let code = &function.with_context(|| format!("{name} has no instructions"))?.instructions;
        chain(code, &starts(code), 0, 0)
    };
    programs.iter().map(depth).collect()
}

/// Where functions begin: the program, and behind it what it calls.
fn starts(code: &[bpf_insn]) -> Vec<usize> {
    let mut starts: Vec<usize> = (0..code.len()).filter_map(|at| target(code, at)).chain([0]).collect();
    starts.sort_unstable();
    starts.dedup();
    starts
}

/// What the instruction at `at` calls.
fn target(code: &[bpf_insn], at: usize) -> Option<usize> {
    let call = code.get(at).filter(|call| call.code == CALL && call.src_reg() == PSEUDO_CALL)?;
    at.checked_add_signed(isize::try_from(call.imm).ok()? + 1)
}

/// Stack of the function that begins at `start`, with its deepest chain of calls.
fn chain(code: &[bpf_insn], starts: &[usize], start: usize, calls: u32) -> Result<u32> {
    if calls > MAX_CALLS {
        bail!("calls too deep");
    }
    let end = starts.iter().find(|&&other| other > start).copied().unwrap_or(code.len());
    let function = code.get(start..end).context("a call leads out of the program")?;
    let mut callee = 0;
    for called in (start..end).filter_map(|at| target(code, at)) {
        callee = callee.max(chain(code, starts, called, calls + 1)?);
    }
    Ok(own(function).next_multiple_of(STEP) + callee)
}

/// Stack of one function: the lowest address that it uses or passes on.
fn own(function: &[bpf_insn]) -> u32 {
    let mut lowest = 0;
    for (index, instruction) in function.iter().enumerate() {
        let class = instruction.code & 0x07;
        if class == LOAD && instruction.src_reg() == R10
            || STORES.contains(&class) && instruction.dst_reg() == R10
        {
            lowest = lowest.min(i32::from(instruction.off));
        }
        let next = function.get(index + 1);
        if instruction.code == MOVE
            && instruction.src_reg() == R10
            && let Some(next) =
                next.filter(|next| next.code == ADD && next.dst_reg() == instruction.dst_reg())
        {
            lowest = lowest.min(next.imm);
        }
    }
    lowest.unsigned_abs()
}
