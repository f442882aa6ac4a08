//! `cargo xtask fuzz`

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{env, process, workspace};

/// Throw made-up input at what reads strangers' bytes
///
/// Builds the targets of fuzz/src/bin with counters in them, on the stable toolchain and without sanitizers (the code
/// has no `unsafe`), and runs one after the other. What they find interesting is kept in target/fuzz/corpus and built
/// upon the next time. An input that crashes a target, hangs it or makes it use too much memory is named at the end.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The targets to run; without one, all
    targets: Vec<String>,
    /// How long to run each
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Run this file alone, such as one that crashed
    #[arg(long, value_name = "FILE", conflicts_with = "seconds")]
    input: Option<PathBuf>,
}

/// More than any of them should take together with the engine, which keeps the inputs that it found.
const MEMORY_MB: u32 = 256;
/// How many seconds an input may take. The engine counts in whole ones.
const TIMEOUT: u32 = 2;
/// No input is longer.
const MAX_LENGTH: u32 = 4 * 1024;

/// The counters that libFuzzer reads. Optimised, but with the checks that stop where a program would go on wrongly.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
                     -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Cdebug-assertions -Ccodegen-units=1";

pub(crate) fn run(args: &Args) -> Result<()> {
    let all = targets()?;
    let chosen = if args.targets.is_empty() { &all } else { &args.targets };
    if let Some(unknown) = chosen.iter().find(|name| !all.contains(name)) {
        bail!("there is no target `{unknown}`; there are {}", all.join(", "));
    }
    let folder = workspace::target_dir()?.join("fuzz");
    let programs = build(&folder)?;
    if let Some(input) = &args.input {
        return chosen.iter().try_for_each(|name| process::run(Command::new(programs.join(name)).arg(input)));
    }
    let mut failed = Vec::new();
    for name in chosen {
        println!("\n==== {name}: {} s ====", args.seconds);
        let artifacts = folder.join("found").join(name);
        if !fuzz(&programs.join(name), &folder.join("corpus").join(name), &artifacts, args.seconds)? {
            failed.push(format!("{name}: {}", newest(&artifacts)?));
        }
    }
    if !failed.is_empty() {
        bail!(
            "{} target(s) failed. To run one on its input: cargo xtask fuzz TARGET --input FILE\n{}",
            failed.len(),
            failed.join("\n")
        );
    }
    Ok(())
}

/// A minute for each target.
pub(crate) fn run_in_ci() -> Result<()> {
    run(&Args { targets: Vec::new(), seconds: 60, input: None })
}

fn fuzz_folder() -> PathBuf {
    workspace::root().join("fuzz")
}

/// The names of the files in `fuzz/src/bin`, which cargo takes for programs by itself.
fn targets() -> Result<Vec<String>> {
    let folder = fuzz_folder().join("src").join("bin");
    let files = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut names = Vec::new();
    for file in files {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

/// Builds all targets and returns the folder of the programs.
fn build(folder: &Path) -> Result<PathBuf> {
    // Named although it is the machine's own: else the flags would also go into build scripts, which have no engine.
    let host = host()?;
    let mut cargo = process::cargo(["build", "--release", "--locked", "--bins", "--target", &host]);
    cargo.current_dir(fuzz_folder()).env("RUSTFLAGS", FLAGS).env("CARGO_TARGET_DIR", folder);
    process::run(&mut cargo)?;
    Ok(folder.join(host).join("release"))
}

fn host() -> Result<String> {
    let rustc = env::get("RUSTC").unwrap_or_else(|| "rustc".to_owned());
    let said = process::output(Command::new(rustc).arg("-vV").current_dir(workspace::root()))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("`rustc -vV` does not say what machine this is")
}

/// Runs a target and says whether it survived.
fn fuzz(program: &Path, corpus: &Path, artifacts: &Path, seconds: u32) -> Result<bool> {
    for folder in [corpus, artifacts] {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let mut command = Command::new(program);
    command.env("ARTDAG_FUZZ_SEEDS", corpus).arg(corpus).args([
        format!("-max_total_time={seconds}"),
        format!("-rss_limit_mb={MEMORY_MB}"),
        format!("-timeout={TIMEOUT}"),
        format!("-max_len={MAX_LENGTH}"),
        // Ends with a slash, since it is put before a file's name.
        format!("-artifact_prefix={}/", artifacts.display()),
        "-print_final_stats=1".to_owned(),
        // Without a line for every input that is new.
        "-verbosity=0".to_owned(),
        "-reload=0".to_owned(),
    ]);
    Ok(process::status(&mut command)?.success())
}

/// The file that the engine wrote last.
fn newest(folder: &Path) -> Result<String> {
    let mut found = Vec::new();
    for file in fs::read_dir(folder)? {
        let file = file?;
        found.push((file.metadata()?.modified()?, file.path()));
    }
    Ok(found.into_iter().max().map_or("no input was written".to_owned(), |(_, path)| path.display().to_string()))
}
