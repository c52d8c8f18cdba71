//! Writes what the corpora of the fuzz targets begin with: `cargo corpora`, from the root of the
//! repository. What a fuzzer found has no extension and stays.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command says what it did")]

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use driftless::fuzz::seeds::{Seeds, dictionary, of_scenarios, seeds};
use driftless::fuzz::{TARGETS, Target};
use driftless::story::file::load_folder;

fn main() -> ExitCode {
    match write_all() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("corpora: {error}; run it from the root of the repository");
            ExitCode::FAILURE
        }
    }
}

fn write_all() -> Result<(), Box<dyn std::error::Error>> {
    let stories = load_folder(Path::new("scenarios"))?;
    let mut made = seeds();
    for target in TARGETS {
        let mut seeds = made.remove(target.name).unwrap_or_default();
        seeds.extend(of_scenarios(target, &stories));
        let total = write(target, &seeds)?;
        println!("{:>24}  {} files, {total} bytes", target.name, seeds.len());
    }
    Ok(())
}

fn write(target: &Target, seeds: &Seeds) -> io::Result<usize> {
    let folder = Path::new("fuzz/corpus").join(target.name);
    fs::create_dir_all(&folder)?;
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some() {
            fs::remove_file(path)?;
        }
    }
    for (name, bytes) in seeds {
        fs::write(folder.join(name), bytes)?;
    }
    if let Some(words) = dictionary(target, seeds) {
        fs::create_dir_all("fuzz/dictionaries")?;
        fs::write(format!("fuzz/dictionaries/{}.dict", target.name), words)?;
    }
    Ok(seeds.values().map(Vec::len).sum())
}
