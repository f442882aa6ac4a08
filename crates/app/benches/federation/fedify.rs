//! Fedify, in its own mode for benchmarks: it keeps nothing.

use crate::parts::Failure;
use crate::world::World;
use crate::{Options, ms, send_all};
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[expect(
    clippy::disallowed_methods,
    reason = "benchmarks are told where their programs are by the environment, as tests are"
)]
pub(crate) fn folder() -> Option<PathBuf> {
    std::env::var_os("ARTDAG_TEST_NODE").map(Into::into)
}

/// The same load.
pub(crate) async fn measure(folder: &Path, world: &World, options: &Options) -> Result<(), Failure> {
    let program = folder.join("fedify_peer.mjs");
    std::fs::write(&program, include_str!("../../../../tests/interop/node/fedify_peer.mjs"))?;
    let port = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let mut process = Command::new("node")
        .arg(program)
        .args(["--bench", "--quiet", "--port", &port.to_string()])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut output = BufReader::new(process.stdout.take().ok_or("no output")?).lines();
    let ready = output.by_ref().map_while(Result::ok).any(|line| line.contains("peer ready"));
    let outcome = if ready {
        // It is slower by far; fewer activities tell as much.
        let letters = world.letters(&format!("http://127.0.0.1:{port}/users/alice/inbox"), options.activities / 5)?;
        send_all(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), &letters, options.connections, "202").await
    } else {
        Err("Fedify did not start".into())
    };
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap_or_default();
    let fields: HashMap<&str, &str> = status.lines().filter_map(|line| line.split_once(':')).collect();
    let most = fields.get("VmHWM").and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0);
    let _ = process.kill();
    let _ = process.wait();
    let (rate, latencies) = outcome?;
    let (p50, p99) = (ms(&latencies, 50), ms(&latencies, 99));
    println!("| Fedify | signed activities taken, nothing kept | {rate:.0}/s | {p50} | {p99} | |");
    println!("| Fedify | resident memory, MiB, at most | {} | | | |", most / 1024);
    Ok(())
}
