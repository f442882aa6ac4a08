//! `cargo xtask openapi`

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{process, workspace};

const DOCUMENT: &str = "docs/api/openapi.json";

/// Write docs/api/openapi.json, the HTTP API's description, from the server's own routes
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write nothing; fail if the file is not what the server would write
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut server =
        process::cargo(["run", "-q", "-p", "artdag-app", "--bin", "artdag-l2", "--locked", "--", "openapi"]);
    let document = describe(&mut server)?;
    if args.check {
        return compare(&document);
    }
    let path = workspace::root().join(DOCUMENT);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(&path, document).with_context(|| format!("cannot write {DOCUMENT}"))?;
    println!("wrote {DOCUMENT}");
    Ok(())
}

/// The check as `ci` makes it. `cargo run -p` would choose other features of the dependencies than the tests do, and
/// build many of them twice; this builds just what the tests are going to need.
pub(crate) fn check_in_ci() -> Result<()> {
    process::run(&mut process::cargo(["build", "--workspace", "--all-targets", "--locked"]))?;
    let server = workspace::target_dir()?.join("debug/artdag-l2");
    compare(&describe(Command::new(server).arg("openapi"))?)
}

fn describe(server: &mut Command) -> Result<String> {
    let mut document = process::output(server)?.trim_end().to_owned();
    if !document.starts_with('{') {
        bail!("`artdag-l2 openapi` printed something else than a JSON object");
    }
    document.push('\n');
    Ok(document)
}

fn compare(document: &str) -> Result<()> {
    let committed = fs::read_to_string(workspace::root().join(DOCUMENT)).unwrap_or_default();
    if let Some(difference) = difference(&committed, document) {
        bail!(
            "{DOCUMENT} is not what the server describes:\n{difference}\nmend it with `cargo xtask openapi` and commit it"
        );
    }
    Ok(())
}

/// The lines between what both begin with and what both end with, at most a few of each.
fn difference(committed: &str, generated: &str) -> Option<String> {
    const SHOWN: usize = 12;
    if committed == generated {
        return None;
    }
    let old: Vec<&str> = committed.lines().collect();
    let new: Vec<&str> = generated.lines().collect();
    let shorter = old.len().min(new.len());
    let start = (0..shorter).take_while(|&i| old[i] == new[i]).count();
    let end = (0..shorter - start).take_while(|&i| old[old.len() - 1 - i] == new[new.len() - 1 - i]).count();

    let mut text = format!("from line {}:\n", start + 1);
    for (sign, lines) in [('-', &old[start..old.len() - end]), ('+', &new[start..new.len() - end])] {
        for line in lines.iter().take(SHOWN) {
            text.push_str(&format!("{sign} {line}\n"));
        }
        if lines.len() > SHOWN {
            text.push_str(&format!("{sign} .. and {} more\n", lines.len() - SHOWN));
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn only_what_differs_is_shown() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(difference("a\nb\nc\n", "a\nx\nc\n").as_deref(), Some("from line 2:\n- b\n+ x\n"));
        assert_eq!(difference("a\na\n", "a\na\na\n").as_deref(), Some("from line 3:\n+ a\n"));
        assert_eq!(difference("", "a\n").as_deref(), Some("from line 1:\n+ a\n"));
    }

    #[test]
    fn a_long_difference_is_cut() {
        let long: String = (0..40).map(|i| format!("{i}\n")).collect();
        let text = difference("", &long).expect("they differ");
        assert!(text.ends_with("+ .. and 28 more\n"), "{text}");
    }
}
