//! `flowd read`: a capture through the packet path, in this process or in the kernel.

mod duplicates;
mod engine;
mod intake;
mod links;
mod metrics;
mod order;
mod output;
mod progress;
mod reader;
mod sending;
mod summary;
mod table;

use std::{
    fs::File,
    io::{self, BufWriter, Read, Write},
    path::Path,
};

use anyhow::{Context, Result};

use self::{engine::Engine, progress::Progress, reader::Reader};
pub use self::{engine::EngineKind, intake::Intake, output::Output};
use crate::{capture::Capture, config::Config};

/// Reads the capture at `path`, or standard input without one, and prints what is in it.
///
/// # Errors
/// The capture cannot be opened or read to its end (all complete records are printed first), has a link type
/// that the engine cannot take, the kernel engine lacks a privilege, the output is closed, or a sink did not take all
/// records.
pub fn read(
    path: Option<&Path>,
    engine: EngineKind,
    intake: Intake,
    output: Output,
    config: &Config,
) -> Result<()> {
    let reader = |out| Reader::new(Engine::new(engine, config)?, intake, output, config, out);
    // Not locked: a sink may write there too.
    let out = BufWriter::with_capacity(1 << 16, io::stdout());
    let Some(path) = path else {
        return run(io::stdin().lock(), "standard input".to_owned(), None, reader, out);
    };
    let name = path.display().to_string();
    let file = File::open(path).with_context(|| format!("{name}: cannot open the capture"))?;
    let size = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len());
    run(file, name, size, reader, out)
}

fn run<R: Read, W: Write>(
    source: R,
    name: String,
    size: Option<u64>,
    reader: impl FnOnce(W) -> Result<Reader<W>>,
    out: W,
) -> Result<()> {
    let mut capture = Capture::open(source, name.clone())?;
    let mut reader = reader(out)?;
    let mut progress = Progress::new(size);
    let ended = loop {
        let interface = match capture.next_packet() {
            Ok(Some(packet)) => {
                if let Err(error) = reader.packet(&packet) {
                    break Err(error.context(name));
                }
                packet.interface
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error.into()),
        };
        if reader.wants_name(interface) {
            reader.set_name(interface, capture.interface_name(interface));
        }
        progress.show(capture.offset());
    };
    progress.clear();
    // What was read is printed, whatever came after it.
    reader.finish()?;
    ended
}
